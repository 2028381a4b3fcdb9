"""The requests and responses of the local HTTP server."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from email.message import Message
from io import BufferedIOBase

PIECE = 65536


class BodyTooLargeError(Exception):
    """Raised when a body is longer than its reader accepts."""


class Body:
    """The body of a request, read from the connection on demand."""

    def __init__(self, stream: BufferedIOBase, headers: Message) -> None:
        self.trailers: dict[str, str] = {}
        self._stream = stream
        self._chunked = "chunked" in headers.get("Transfer-Encoding", "").lower()
        self._remaining = 0 if self._chunked else int(headers.get("Content-Length") or 0)

    def chunks(self) -> Iterator[bytes]:
        """Yield the body as it arrives; after the last chunk, `trailers` is filled."""
        while self._remaining:
            piece = self._stream.read(min(self._remaining, PIECE))
            if not piece:
                raise ConnectionError("the request ended within its body")
            self._remaining -= len(piece)
            yield piece
        while self._chunked:
            size = self._read_chunk_size()
            if size:
                yield self._stream.read(size)
                self._stream.readline(3)
            else:
                self._chunked = False
                self._read_trailers()

    def read(self, limit: int | None = None) -> bytes:
        """Return the rest of the body. Raises `BodyTooLargeError` above `limit` bytes."""
        pieces: list[bytes] = []
        size = 0
        for piece in self.chunks():
            size += len(piece)
            if limit is not None and size > limit:
                raise BodyTooLargeError(limit)
            pieces.append(piece)
        return b"".join(pieces)

    def discard(self) -> None:
        """Read the rest, so that the client receives the response and can send another request."""
        for _ in self.chunks():
            pass

    def _read_chunk_size(self) -> int:
        line = self._stream.readline(PIECE)
        if not line:
            raise ConnectionError("the request ended within its body")
        try:
            return int(line.split(b";")[0], 16)
        except ValueError as malformed:
            raise ConnectionError("the request's chunks are malformed") from malformed

    def _read_trailers(self) -> None:
        while (line := self._stream.readline(PIECE)) not in (b"\r\n", b"\n", b""):
            name, _, value = line.decode("latin-1").partition(":")
            self.trailers[name.strip().lower()] = value.strip()


@dataclass(frozen=True)
class HttpRequest:
    """One request; `path` and `query` are still percent-encoded."""

    method: str
    path: str
    query: str
    headers: Message
    body: Body
    client: str


@dataclass
class HttpResponse:
    """One response; the chunks of an iterator are sent one by one."""

    status: int
    headers: Sequence[tuple[str, str]] = ()
    body: bytes | Iterator[bytes] = field(default=b"")

    @property
    def framing(self) -> str | None:
        """Return how its end is marked: "length", "chunked", or None if its head does that."""
        given = any(name.lower() == "content-length" for name, _ in self.headers)
        if given or self.status in (204, 304):
            return None
        return "length" if isinstance(self.body, bytes) else "chunked"
