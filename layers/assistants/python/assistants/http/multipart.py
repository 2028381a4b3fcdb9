"""Reading `multipart/form-data` as it arrives: text, and files that may be too large for memory."""

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
_IN_MEMORY_BYTES = 8 * 1024 * 1024  # above what Lambda lets through; what is larger goes to disk
_NESTED = re.compile(r"(\w+)\[(\w+)\]")
_LAST_FILENAME = re.compile(r'; *filename="(.*)" *', re.DOTALL)
_MIME_TYPE = re.compile(r"[\w.+-]+/[\w.+-]+(; ?[\w.+-]+=[\w.+-]+)*", re.ASCII)


@dataclass
class MultipartForm:
    """What a form held: text by name, text by name in a nested member, and contents of files, which
    can be read until it is closed.
    """

    members: dict[str, Any] = field(default_factory=dict)
    files: ExitStack = field(default_factory=ExitStack)

    def fingerprint(self) -> bytes:
        """The same for the same members, whatever boundary stood between them."""
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
    """Raises `InvalidRequestError` for what is no complete form, and `TooLargeError` for one whose
    files have more than `max_bytes`.
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
    """Takes the body chunk by chunk; `form` is complete when the parser is."""

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
        """Raises `TooLargeError`. All files share one limit, so that none fills the disk."""
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
    """One part of the form on its way in."""

    def __init__(self, segment: MultipartSegment, stream: IO[bytes]) -> None:
        self.name = segment.name or ""
        self.is_file = segment.filename is not None
        self.stream = stream
        self._segment = segment

    def value(self) -> str | Content:
        """Raises `InvalidRequestError` for text that is not UTF-8 and for a name that is too
        long.
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
        """As its sender has it. Browsers and Node escape as HTML says, Python also backslashes.

        The parser's own reading cuts what looks like a path.
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
    """What the sender says, unless that says nothing or could not be a header of ours."""
    given = segment.header("Content-Type") or UNKNOWN
    if given == UNKNOWN or not _MIME_TYPE.fullmatch(given) or len(given) > 255:
        return mime_type_of(filename)
    return str(given)
