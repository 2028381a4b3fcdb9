"""A chat model: takes one request, streams deltas of the answer."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from assistants.domain.model_route import CachePoint
from assistants.domain.run import ErrorCode, Usage


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """The request of one turn.

    `messages` and `tools` have the form of OpenAI's chat completions, from which every provider's
    adapter can convert. `cache` names the parts that the next turn repeats from the start, for
    providers that need explicit cache points.
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
    """A fragment of the call at `index`: its id and name come first, its arguments in pieces.

    Some providers give no index, and some give one index to calls with different ids.
    """

    index: int | None
    id: str | None = None
    name: str | None = None
    arguments: str = ""


FinishReason = Literal["stop", "length", "tool_calls", "content_filter"]


@dataclass(frozen=True, slots=True)
class FinishDelta:
    """The end of the answer. `reason` and `usage` may come in separate deltas."""

    reason: FinishReason | None = None
    usage: Usage | None = None


Delta = TextDelta | RefusalDelta | ToolCallDelta | FinishDelta


class ModelError(Exception):
    """Raised when the provider cannot answer; becomes the `last_error` of the run."""

    def __init__(self, code: ErrorCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class ChatModel(Protocol):
    def stream(self, request: ModelRequest) -> Iterator[Delta]:
        """Yield the answer. Raises `ModelError`, before the first delta or between two."""
        ...
