"""What a run is asked to do: the assistant's settings, and what the request says over them."""

from typing import Any

from assistants.domain.assistant import Assistant
from assistants.domain.errors import InvalidRequest
from assistants.domain.run import RunCreate, RunSettings, ThreadRunCreate
from assistants.domain.tool import FunctionTool, NamedFunction, NamedToolChoice, Tool

_OVERRIDES = ("tools", "temperature", "top_p", "response_format", "reasoning_effort")
_OWN = (
    "max_prompt_tokens",
    "max_completion_tokens",
    "truncation_strategy",
    "tool_choice",
    "parallel_tool_calls",
)


def settings_of(
    assistant: Assistant,
    body: RunCreate | ThreadRunCreate,
    thread_id: str,
    run_id: str,
    now: int,
) -> RunSettings:
    """Raises `InvalidRequest` for the choice of a tool that the run does not have."""
    own = {name: value for name in _OWN if (value := getattr(body, name)) is not None}
    settings = RunSettings(
        id=run_id,
        created_at=now,
        thread_id=thread_id,
        assistant_id=assistant.id,
        model=body.model or assistant.model,
        instructions=_instructions(assistant, body),
        **{name: _override(assistant, body, name) for name in _OVERRIDES},
        **own,
    )
    _check_tool_choice(settings)
    return settings


def _check_tool_choice(settings: RunSettings) -> None:
    choice = settings.tool_choice
    if choice == "required" and not settings.tools:
        message = "'tool_choice' is only allowed when 'tools' are specified."
        raise InvalidRequest(f"Invalid value for 'tool_choice': {message}", param="tool_choice")
    if isinstance(choice, NamedToolChoice):
        name = _name(choice)
        if name not in map(_name, settings.tools):
            message = f"Tool choice '{name}' not found in 'tools' parameter."
            raise InvalidRequest(message, param="tool_choice")


def _name(tool: Tool | NamedToolChoice) -> str:
    return tool.function.name if isinstance(tool, FunctionTool | NamedFunction) else tool.type


def _override(assistant: Assistant, body: RunCreate | ThreadRunCreate, name: str) -> Any:
    value = getattr(body, name)
    return getattr(assistant, name) if value is None else value


def _instructions(assistant: Assistant, body: RunCreate | ThreadRunCreate) -> str:
    instructions = assistant.instructions if body.instructions is None else body.instructions
    additional = body.additional_instructions if isinstance(body, RunCreate) else None
    return "\n\n".join(part for part in (instructions, additional) if part)
