"""A streaming reader of `multipart/form-data`; large files go to disk."""

import re
from collections.abc import AsyncIterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from hashlib import sha256
from io import BytesIO
from tempfile import SpooledTemporaryFile
from typing import IO, Any

from multipart import (
    MultipartError,
    MultipartSegment,
    ParserLimitReached,
    PushMultipartParser,
    parse_options_header,
)
from starlette.requests import ClientDisconnect

from assistants.domain.errors import InvalidRequestError, TooLargeError
from assistants.domain.file import MAX_FILENAME, Content
from assistants.domain.formats import UNKNOWN, mime_type_of
from assistants.ports.blobs import PIECE_BYTES

MAX_TEXT_BYTES = 64 * 1024
MAX_MEMBERS = 16
_MAX_HEADER_BYTES = 16 * 1024
_IN_MEMORY_BYTES = 8 * 1024 * 1024  # above Lambda's limit, so the disk is for local servers
_NESTED = re.compile(r"(\w+)\[(\w+)\]")
_LAST_FILENAME = re.compile(r'; *filename="(.*)" *', re.DOTALL)
_MIME_TYPE = re.compile(r"[\w.+-]+/[\w.+-]+(; ?[\w.+-]+=[\w.+-]+)*", re.ASCII)


@dataclass
class MultipartForm:
    """A form: text, nested text and the contents of files, by name.

    Files can be read until the form is closed.
    """

    members: dict[str, Any] = field(default_factory=dict)
    files: ExitStack = field(default_factory=ExitStack)

    def fingerprint(self) -> bytes:
        """Return a digest of the members, which does not depend on the boundary."""
        digest = sha256()
        for name, value in sorted(self.members.items()):
            digest.update(f"{name}\n".encode())
            if isinstance(value, Content):
                digest.update(f"{value.filename}\n{value.mime_type}\n".encode())
                while piece := value.stream.read(PIECE_BYTES):
                    digest.update(piece)
                value.stream.seek(0)
            else:
                digest.update(repr(value).encode())
        return digest.digest()

    def close(self) -> None:
        self.files.close()


async def read_form(content_type: str, body: AsyncIterable[bytes], max_bytes: int) -> MultipartForm:
    """Read a form.

    Raises `InvalidRequestError` for a malformed or incomplete form, and `TooLargeError` when its
    files have more than `max_bytes` together.
    """
    reader = _Reader(_boundary(content_type), max_bytes)
    with ExitStack() as undo:
        undo.callback(reader.form.close)
        try:
            with reader.parser:
                async for chunk in body:
                    if chunk:
                        reader.feed(chunk)
        except MultipartError as error:
            kind = TooLargeError if isinstance(error, ParserLimitReached) else InvalidRequestError
            raise kind(f"Could not parse multipart form: {error.args[0]}.") from error
        except ClientDisconnect as error:
            raise InvalidRequestError(
                "The client has gone before its form was complete."
            ) from error
        undo.pop_all()
    return reader.form


def _boundary(content_type: str) -> str:
    kind, options = parse_options_header(content_type)
    if kind != "multipart/form-data":
        raise InvalidRequestError(
            f"Invalid Content-Type header ({content_type or 'none'}), expected "
            "multipart/form-data. (HINT: If you're using curl, you can pass -F 'file=@name'.)"
        )
    if not (boundary := options.get("boundary")):
        raise InvalidRequestError(
            "Could not parse multipart form: the Content-Type has no boundary."
        )
    return str(boundary)


class _Reader:
    """Read the body chunk by chunk; `form` is complete when `parser` is."""

    def __init__(self, boundary: str, max_bytes: int) -> None:
        self.form = MultipartForm()
        self.parser = PushMultipartParser(
            boundary, max_header_size=_MAX_HEADER_BYTES, max_segment_count=MAX_MEMBERS
        )
        self._left = {True: max_bytes, False: MAX_TEXT_BYTES}
        self._member: _Member | None = None

    def feed(self, chunk: bytes) -> None:
        for event in self.parser.parse(chunk):
            if isinstance(event, MultipartSegment):
                self._member = _Member(event, self._stream(event))
            elif self._member is not None and event is not None:
                self._take(self._member, event)
            elif self._member is not None:
                self._put(self._member.name, self._member.value())

    def _stream(self, segment: MultipartSegment) -> IO[bytes]:
        if segment.filename is None:
            return BytesIO()
        return self.form.files.enter_context(SpooledTemporaryFile(_IN_MEMORY_BYTES))

    def _take(self, member: "_Member", piece: bytes) -> None:
        """Write a piece. Raises `TooLargeError`: all files share a limit, to protect the disk."""
        self._left[member.is_file] -= len(piece)
        if self._left[member.is_file] < 0:
            raise TooLargeError(f"'{member.name}' is too large.", param=member.name)
        member.stream.write(piece)

    def _put(self, name: str, value: str | Content) -> None:
        place: dict[str, Any] = self.form.members
        key = name
        if nested := _NESTED.fullmatch(name):
            outer, key = nested.groups()
            place = place.setdefault(outer, {})
        if not isinstance(place, dict) or key in place:
            raise InvalidRequestError(f"Duplicate parameter: '{name}'.", param=name)
        place[key] = value


class _Member:
    """One part of the form that is being read."""

    def __init__(self, segment: MultipartSegment, stream: IO[bytes]) -> None:
        self.name = segment.name or ""
        self.is_file = segment.filename is not None
        self.stream = stream
        self._segment = segment

    def value(self) -> str | Content:
        """Return the text, or the content of the file.

        Raises `InvalidRequestError` for text that is not UTF-8, and for a file name of a wrong
        length.
        """
        size = self.stream.tell()
        self.stream.seek(0)
        if self.is_file:
            filename = self._filename()
            return Content(filename, _mime_type(self._segment, filename), self.stream, size)
        try:
            return self.stream.read().decode()
        except UnicodeDecodeError as error:
            message = f"Invalid '{self.name}': the text is not UTF-8."
            raise InvalidRequestError(message, param=self.name, code="invalid_value") from error

    def _filename(self) -> str:
        """Return the file name as the sender has it, which the parser would cut like a path.

        Browsers and Node escape as HTML specifies, Python clients also escape backslashes.
        https://html.spec.whatwg.org/multipage/form-control-infrastructure.html#multipart-form-data
        """
        filename = str(self._segment.filename)
        if found := _LAST_FILENAME.search(self._segment.header("Content-Disposition")):
            filename = found[1].replace("\\\\", "\\").replace('\\"', '"')
            for escaped, character in (("%22", '"'), ("%0D", "\r"), ("%0A", "\n")):
                filename = filename.replace(escaped, character)
        if not 1 <= len(filename) <= MAX_FILENAME:
            raise InvalidRequestError(
                f"Invalid '{self.name}': expected a file name with 1 to {MAX_FILENAME} "
                f"characters, but got one with {len(filename)}.",
                param=self.name,
                code="invalid_value",
            )
        return filename


def _mime_type(segment: MultipartSegment, filename: str) -> str:
    """Return the declared type, or that of the name if it is generic or not a valid header."""
    given = segment.header("Content-Type") or UNKNOWN
    if given == UNKNOWN or not _MIME_TYPE.fullmatch(given) or len(given) > 255:
        return mime_type_of(filename)
    return str(given)
