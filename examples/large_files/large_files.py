"""An `http_client` for the OpenAI SDK that sends large files straight to S3.

    client = OpenAI(http_client=LargeFiles(progress=lambda sent, size: print(sent, size)))
    client.files.create(file=open("large.pdf", "rb"), purpose="assistants")

A request to the API may carry about 4.4 MB of a file. With this client `files.create` takes up to
5 GB: it silently becomes an upload with one part, whose bytes go to a URL of S3.
The file is read as it is sent, unless the SDK was given a path, which it reads into memory itself.
"""

import json
import mimetypes
import os
from collections.abc import AsyncIterator, Callable, Generator, Iterator, Mapping
from dataclasses import dataclass
from typing import IO, Any

import httpx2
from openai import DEFAULT_CONNECTION_LIMITS, DEFAULT_TIMEOUT

THRESHOLD = 4_000_000  # bytes of a file that is sent as ever
PIECE = 1024 * 1024
LARGE_FILE = "large_file"
OF_THE_FORM = ("content-length", "content-type", "transfer-encoding")

Progress = Callable[[int, int], None]
"""Called with the bytes sent so far and in all."""
Steps = Generator[httpx2.Request, httpx2.Response, httpx2.Response]


@dataclass(frozen=True)
class LargeFile:
    """What `files.create` was asked to send."""

    name: str
    mime_type: str
    content: bytes | IO[bytes]
    size: int
    members: dict[str, Any]

    @classmethod
    def of(cls, method: str, url: Any, files: Any, data: Any, threshold: int) -> "LargeFile | None":
        """None if the request is another one, or the file is small or of unknown size."""
        path = httpx2.URL(str(url)).path
        if method.upper() != "POST" or not path.endswith("/files") or not files:
            return None
        entries = dict(files)
        given = entries.get("file")
        name, content, *rest = given if isinstance(given, tuple) else (None, given)
        size = _size(content)
        if size is None or size <= threshold or len(entries) > 1:
            return None
        name = name or os.path.basename(str(getattr(content, "name", "upload")))  # noqa: PTH119
        guessed = mimetypes.guess_type(name)[0] or "application/octet-stream"
        return cls(name, rest[0] if rest else guessed, content, size, _nested(data or {}))

    def pieces(self, progress: Progress | None) -> Iterator[bytes]:
        """The bytes from the beginning, also when they are asked for again."""
        sent = 0
        if not isinstance(self.content, bytes):
            self.content.seek(0)
        while sent < self.size:
            if isinstance(self.content, bytes):
                piece = self.content[sent : sent + PIECE]
            else:
                piece = self.content.read(PIECE)
            if not piece:
                raise httpx2.WriteError(f"{self.name} has become shorter while it was sent")
            yield piece
            sent += len(piece)
            if progress:
                progress(sent, self.size)


def steps(request: httpx2.Request, file: LargeFile, body: Any) -> Steps:
    """The requests in place of one, for which each time the response is sent in."""

    def call(path: str, members: Mapping[str, Any]) -> httpx2.Request:
        headers = [(k, v) for k, v in request.headers.multi_items() if k not in OF_THE_FORM]
        url = request.url.copy_with(path=request.url.path.removesuffix("/files") + path)
        content = json.dumps(members).encode()
        headers += [("content-type", "application/json"), ("content-length", str(len(content)))]
        extensions = {"timeout": request.extensions.get("timeout", {})}
        return httpx2.Request("POST", url, headers=headers, content=content, extensions=extensions)

    described = {"filename": file.name, "bytes": file.size, "mime_type": file.mime_type}
    created = yield call("/uploads", described | file.members)
    if created.is_error:
        return created
    upload = f"/uploads/{created.json()['id']}"
    try:
        part = yield call(f"{upload}/direct_parts", {})
        if part.is_error:
            return part
        length = {"content-length": str(file.size)}
        sent = yield httpx2.Request("PUT", part.json()["url"], headers=length, content=body)
        if sent.is_error:
            raise httpx2.WriteError(f"S3 answered {sent.status_code}: {sent.text[:500]}")
    except httpx2.TransportError:  # the SDK tries again, with another upload
        yield call(f"{upload}/cancel", {})
        raise
    completed = yield call(f"{upload}/complete", {"part_ids": [part.json()["id"]]})
    if completed.is_error:
        return completed
    headers = {k: v for k, v in completed.headers.items() if k not in OF_THE_FORM}
    answer = completed.json()["file"]
    return httpx2.Response(200, headers=headers, json=answer, request=request)


class LargeFiles(httpx2.Client):
    """For `OpenAI(http_client=...)`. Files above `threshold` bytes go straight to S3."""

    def __init__(
        self, *, threshold: int = THRESHOLD, progress: Progress | None = None, **options: Any
    ) -> None:
        super().__init__(**_sdk_defaults(), **options)
        self._threshold = threshold
        self._progress = progress

    def build_request(self, method: str, url: Any, **options: Any) -> httpx2.Request:
        return _marked(super().build_request, method, url, options, self._threshold)

    def send(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
        file: LargeFile | None = request.extensions.get(LARGE_FILE)
        if file is None:
            return super().send(request, **options)
        todo = steps(request, file, file.pieces(self._progress))
        step = next(todo)
        while True:
            try:
                response = super().send(step)
            except httpx2.TransportError as error:
                step = todo.throw(error)
                continue
            try:
                step = todo.send(response)
            except StopIteration as done:
                answer: httpx2.Response = done.value
                return answer


class AsyncLargeFiles(httpx2.AsyncClient):
    """For `AsyncOpenAI(http_client=...)`."""

    def __init__(
        self, *, threshold: int = THRESHOLD, progress: Progress | None = None, **options: Any
    ) -> None:
        super().__init__(**_sdk_defaults(), **options)
        self._threshold = threshold
        self._progress = progress

    def build_request(self, method: str, url: Any, **options: Any) -> httpx2.Request:
        return _marked(super().build_request, method, url, options, self._threshold)

    async def send(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
        file: LargeFile | None = request.extensions.get(LARGE_FILE)
        if file is None:
            return await super().send(request, **options)
        todo = steps(request, file, _asynchronous(file.pieces(self._progress)))
        step = next(todo)
        while True:
            try:
                response = await super().send(step)
            except httpx2.TransportError as error:
                step = todo.throw(error)
                continue
            try:
                step = todo.send(response)
            except StopIteration as done:
                answer: httpx2.Response = done.value
                return answer


def _marked(
    build: Callable[..., httpx2.Request],
    method: str,
    url: Any,
    options: dict[str, Any],
    threshold: int,
) -> httpx2.Request:
    """Return the request; it carries a large file as an extension instead of in a form."""
    file = LargeFile.of(method, url, options.get("files"), options.get("data"), threshold)
    if file is None:
        return build(method, url, **options)
    request = build(method, url, **{**options, "files": None, "data": None})
    request.extensions = {**request.extensions, LARGE_FILE: file}
    return request


def _sdk_defaults() -> dict[str, Any]:
    return {
        "timeout": DEFAULT_TIMEOUT,
        "limits": DEFAULT_CONNECTION_LIMITS,
        "follow_redirects": True,
    }


def _size(content: Any) -> int | None:
    if isinstance(content, bytes):
        return len(content)
    if not (hasattr(content, "seekable") and content.seekable()):
        return None
    size: int = content.seek(0, os.SEEK_END)
    content.seek(0)
    return size


def _nested(data: Mapping[str, Any]) -> dict[str, Any]:
    """`expires_after[seconds]: "3600"` as the JSON that it means."""
    members: dict[str, Any] = {}
    for name, value in data.items():
        outer, bracket, inner = name.partition("[")
        if bracket:
            inner = inner.removesuffix("]")
            members.setdefault(outer, {})[inner] = int(value) if inner == "seconds" else value
        else:
            members[outer] = value
    return members


async def _asynchronous(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece
