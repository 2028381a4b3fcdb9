"""A language model: one request in, a stream of deltas out."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from assistants.domain.model_route import CachePoint
from assistants.domain.run import ErrorCode, Usage


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """One turn. `messages` and `tools` have the form of OpenAI's chat completions, the one form
    that every provider's adapter can start from. `cache` names the parts that the next turn will
    begin with again, for providers that have to be told.
    """

    model: str
    messages: list[dict[str, Any]]
    tools: list[dict[str, Any]] = field(default_factory=list)
    options: dict[str, Any] = field(default_factory=dict)
    cache: tuple[CachePoint, ...] = ()


@dataclass(frozen=True, slots=True)
class TextDelta:
    value: str


@dataclass(frozen=True, slots=True)
class RefusalDelta:
    value: str


@dataclass(frozen=True, slots=True)
class ToolCallDelta:
    """A piece of the call number `index`: its id and name come first, its arguments in pieces.

    Providers differ: some give no index, some one index to calls with different ids.
    """

    index: int | None
    id: str | None = None
    name: str | None = None
    arguments: str = ""


FinishReason = Literal["stop", "length", "tool_calls", "content_filter"]


@dataclass(frozen=True, slots=True)
class FinishDelta:
    """The end of the turn. `reason` and `usage` may come in different deltas."""

    reason: FinishReason | None = None
    usage: Usage | None = None


Delta = TextDelta | RefusalDelta | ToolCallDelta | FinishDelta


class ModelError(Exception):
    """Raise when the provider cannot answer; `code` is what the run's `last_error` shows."""

    def __init__(self, code: ErrorCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class ChatModel(Protocol):
    def stream(self, request: ModelRequest) -> Iterator[Delta]:
        """Raises `ModelError`, before the first delta or between two."""
        ...
