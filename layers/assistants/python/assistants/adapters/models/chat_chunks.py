"""Converts chunks of a streamed chat completion to deltas."""

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, ValidationError

from assistants.domain.run import Usage
from assistants.ports.chat_model import (
    Delta,
    FinishDelta,
    FinishReason,
    ModelError,
    RefusalDelta,
    TextDelta,
    ToolCallDelta,
)

_FINISH: dict[str, FinishReason] = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
}


class _Function(BaseModel):
    name: str | None = None
    arguments: str | None = None


class _Call(BaseModel):
    index: int | None = None
    id: str | None = None
    function: _Function = _Function()


class _Content(BaseModel):
    content: str | None = None
    refusal: str | None = None
    tool_calls: list[_Call] | None = None


class _Choice(BaseModel):
    delta: _Content | None = None
    finish_reason: str | None = None


class _Usage(BaseModel):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class _Chunk(BaseModel):
    """The used members of https://platform.openai.com/docs/api-reference/chat-streaming."""

    choices: list[_Choice] | None = None
    usage: _Usage | None = None
    error: Any = None


def deltas_of(data: bytes) -> Iterator[Delta]:
    """Yield the deltas of a chunk. Raises `ModelError` for an error and for invalid JSON."""
    try:
        chunk = _Chunk.model_validate_json(data)
    except ValidationError as error:
        raise ModelError("server_error", "The model sent something unreadable.") from error
    if problem := chunk.error:
        message = problem.get("message") if isinstance(problem, dict) else problem
        raise ModelError("server_error", str(message or "The model reported an error."))
    for choice in chunk.choices or ():
        yield from _content(choice.delta or _Content())
        if choice.finish_reason:
            yield FinishDelta(reason=_FINISH.get(choice.finish_reason, "stop"))
    if chunk.usage:
        prompt, completion = chunk.usage.prompt_tokens or 0, chunk.usage.completion_tokens or 0
        total = prompt + completion
        yield FinishDelta(
            usage=Usage(prompt_tokens=prompt, completion_tokens=completion, total_tokens=total)
        )


def _content(content: _Content) -> Iterator[Delta]:
    if content.content:
        yield TextDelta(content.content)
    if content.refusal:
        yield RefusalDelta(content.refusal)
    for position, call in enumerate(content.tool_calls or ()):
        yield ToolCallDelta(
            index=position if call.index is None else call.index,
            id=call.id,
            name=call.function.name,
            arguments=call.function.arguments or "",
        )
