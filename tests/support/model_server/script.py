"""The vocabulary of scripts: how a scripted model answers one request."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from threading import Event
from typing import Any, Literal

_call_numbers = count(1)


class Text:
    """Answer text, one streamed delta for each fragment."""

    def __init__(self, *fragments: str) -> None:
        self.fragments = fragments


class Refusal:
    """The model's refusal, one streamed delta for each fragment."""

    def __init__(self, *fragments: str) -> None:
        self.fragments = fragments


@dataclass(frozen=True)
class Call:
    """One function call. `arguments` given as a string goes out as it is, valid JSON or not."""

    name: str
    arguments: Mapping[str, Any] | str
    id: str = field(default_factory=lambda: f"call_{next(_call_numbers):024d}")

    @property
    def arguments_text(self) -> str:
        """The arguments as the text that the model streams."""
        if isinstance(self.arguments, str):
            return self.arguments
        return json.dumps(self.arguments, ensure_ascii=False)


class Calls:
    """Parallel function calls: `Calls(get_weather={"city": "Paris"})`; `Call`s if one repeats."""

    def __init__(self, *calls: Call, **by_name: Mapping[str, Any] | str) -> None:
        self.calls = (*calls, *(Call(name, arguments) for name, arguments in by_name.items()))


@dataclass(frozen=True)
class Pause:
    """Silence for a number of seconds. As the first part it delays the status line, too."""

    seconds: float


@dataclass(frozen=True)
class Wait:
    """Silence until the test sets `gate` or the server stops."""

    gate: Event = field(default_factory=Event)


@dataclass(frozen=True)
class Garbage:
    """Bytes that are no event of the protocol."""

    content: bytes = b"data: {not json\n\n"


@dataclass(frozen=True)
class Break:
    """The connection is cut. As the first part: before the first byte of the response."""


Part = Text | Refusal | Calls | Pause | Wait | Garbage | Break
FinishReason = Literal["stop", "length", "content_filter", "tool_calls"]


class Turn:
    """One response of the model, part after part. `finish` defaults to what the parts imply."""

    def __init__(
        self,
        *parts: Part,
        finish: FinishReason | None = None,
        prompt_tokens: int = 11,
        completion_tokens: int = 7,
    ) -> None:
        self.parts = parts
        self.prompt_tokens = prompt_tokens
        self.completion_tokens = completion_tokens
        calls = any(isinstance(part, Calls) for part in parts)
        self.finish: FinishReason = finish or ("tool_calls" if calls else "stop")


@dataclass(frozen=True)
class HttpError:
    """A refusal by HTTP status, in OpenAI's envelope unless `body` says otherwise."""

    status: int
    message: str = "The scripted provider refuses this request."
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None

    @property
    def content(self) -> bytes:
        """The response body."""
        if self.body is not None:
            return self.body
        kind = "server_error" if self.status >= 500 else "invalid_request_error"
        error = {"message": self.message, "type": kind, "param": None, "code": None}
        return json.dumps({"error": error}).encode()


Answer = Turn | HttpError
