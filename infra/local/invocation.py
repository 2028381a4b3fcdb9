"""One invocation of a function, shared by its caller and its worker."""

import json
import math
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue

Part = bytes | None  # None ends the response


class FunctionError(Exception):
    """Raised when a function failed; `payload` is the JSON that Lambda responds with."""

    def __init__(self, payload: bytes) -> None:
        super().__init__(payload.decode(errors="replace"))
        self.payload = payload

    @classmethod
    def of(cls, error_type: str, message: str) -> "FunctionError":
        """Return the error with this type and message."""
        return cls(json.dumps({"errorType": error_type, "errorMessage": message}).encode())


@dataclass(eq=False)
class Invocation:
    """An event with its trace header, and the response to it as it is written."""

    payload: bytes
    trace: str = ""
    on_finish: Callable[[], object] = lambda: None
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    delivered: bool = False
    finished: bool = False
    _parts: "SimpleQueue[Part]" = field(default_factory=SimpleQueue)
    _error: FunctionError | None = None
    _abandoned: bool = False

    def write(self, chunk: bytes) -> None:
        """Append a chunk to the response."""
        if not self._abandoned:
            self._parts.put(chunk)

    def finish(self, error: FunctionError | None = None) -> None:
        """End the response; only the first call has an effect."""
        if not self.finished:
            self.finished = True
            self._error = error
            self.on_finish()  # first, so that the caller's next invocation is not throttled
            self._parts.put(None)

    def abandon(self) -> None:
        """Drop the rest of the response; the function runs on, as on AWS."""
        self._abandoned = True

    def chunks(self, deadline: float | None = None, silence: float = math.inf) -> Iterator[bytes]:
        """Yield the response as it arrives.

        Raises `FunctionError`, perhaps after some chunks, and TimeoutError at `deadline` (a time of
        `time.monotonic`) or after `silence` seconds without a chunk.
        """
        while (part := self._next_part(deadline, silence)) is not None:
            yield part
        if self._error:
            raise self._error

    def response(self, deadline: float | None = None) -> bytes:
        """Return the whole response. Raises `FunctionError` and TimeoutError."""
        return b"".join(self.chunks(deadline))

    def _next_part(self, deadline: float | None, silence: float) -> Part:
        left = math.inf if deadline is None else max(0, deadline - time.monotonic())
        patience = min(left, silence)
        try:
            return self._parts.get(timeout=None if patience == math.inf else patience)
        except Empty as late:
            raise TimeoutError from late
