"""What a run is asked to do: the assistant's settings, and what the request says over them."""

from typing import Any

from assistants.domain.assistant import Assistant
from assistants.domain.run import RunCreate, RunSettings, ThreadRunCreate

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
    own = {name: value for name in _OWN if (value := getattr(body, name)) is not None}
    return RunSettings(
        id=run_id,
        created_at=now,
        thread_id=thread_id,
        assistant_id=assistant.id,
        model=body.model or assistant.model,
        instructions=_instructions(assistant, body),
        **{name: _override(assistant, body, name) for name in _OVERRIDES},
        **own,
    )


def _override(assistant: Assistant, body: RunCreate | ThreadRunCreate, name: str) -> Any:
    value = getattr(body, name)
    return getattr(assistant, name) if value is None else value


def _instructions(assistant: Assistant, body: RunCreate | ThreadRunCreate) -> str:
    instructions = assistant.instructions if body.instructions is None else body.instructions
    additional = body.additional_instructions if isinstance(body, RunCreate) else None
    return "\n\n".join(part for part in (instructions, additional) if part)
