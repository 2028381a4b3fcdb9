"""The settings of a run: the assistant's, and those that the request overrides."""

from typing import Any

from assistants.domain.assistant import Assistant
from assistants.domain.errors import InvalidRequestError
from assistants.domain.ids import RunId
from assistants.domain.run import RunCreate, RunSettings, ThreadRunCreate
from assistants.domain.thread import Thread
from assistants.domain.tool import (
    FunctionTool,
    NamedFunction,
    NamedToolChoice,
    Tool,
    ToolResources,
)

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
    thread: Thread,
    run_id: RunId,
    now: int,
) -> RunSettings:
    """Build the settings of a new run.

    Raises `InvalidRequestError` for the choice of a tool that the run does not have.
    """
    own = {name: value for name in _OWN if (value := getattr(body, name)) is not None}
    settings = RunSettings(
        id=run_id,
        created_at=now,
        thread_id=thread.id,
        assistant_id=assistant.id,
        model=body.model or assistant.model,
        instructions=_instructions(assistant, body),
        **{name: _override(assistant, body, name) for name in _OVERRIDES},
        **own,
        **_resources(assistant, body, thread),
    )
    _check_tool_choice(settings)
    return settings


def _resources(
    assistant: Assistant, body: RunCreate | ThreadRunCreate, thread: Thread
) -> dict[str, list[str]]:
    """Return the files and vector stores of the assistant, or those that the request names instead,
    followed by the thread's.
    """
    asked = (body.tool_resources if isinstance(body, ThreadRunCreate) else None) or ToolResources()
    own = assistant.tool_resources or ToolResources()
    of_thread = ToolResources.model_validate(thread.tool_resources)
    code = (asked.code_interpreter or own.code_interpreter, of_thread.code_interpreter)
    search = (asked.file_search or own.file_search, of_thread.file_search)
    file_ids = [id_ for resources in code if resources for id_ in resources.file_ids]
    store_ids = [id_ for resources in search if resources for id_ in resources.vector_store_ids]
    return {
        "file_ids": list(dict.fromkeys(file_ids)),
        "vector_store_ids": list(dict.fromkeys(store_ids)),
        "thread_store_ids": list(search[-1].vector_store_ids) if search[-1] else [],
    }


def _check_tool_choice(settings: RunSettings) -> None:
    choice = settings.tool_choice
    if choice == "required" and not settings.tools:
        message = "'tool_choice' is only allowed when 'tools' are specified."
        raise InvalidRequestError(
            f"Invalid value for 'tool_choice': {message}", param="tool_choice"
        )
    if isinstance(choice, NamedToolChoice):
        name = _name(choice)
        if name not in map(_name, settings.tools):
            message = f"Tool choice '{name}' not found in 'tools' parameter."
            raise InvalidRequestError(message, param="tool_choice")


def _name(tool: Tool | NamedToolChoice) -> str:
    return tool.function.name if isinstance(tool, FunctionTool | NamedFunction) else tool.type


def _override(assistant: Assistant, body: RunCreate | ThreadRunCreate, name: str) -> Any:
    value = getattr(body, name)
    return getattr(assistant, name) if value is None else value


def _instructions(assistant: Assistant, body: RunCreate | ThreadRunCreate) -> str:
    instructions = assistant.instructions if body.instructions is None else body.instructions
    additional = body.additional_instructions if isinstance(body, RunCreate) else None
    return "\n\n".join(part for part in (instructions, additional) if part)
