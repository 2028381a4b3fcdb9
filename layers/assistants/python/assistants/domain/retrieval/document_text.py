"""What is read from a file: its text, with the pages and headings that it stands under."""

from dataclasses import dataclass
from typing import Literal

ErrorCode = Literal["unsupported_file", "invalid_file", "server_error"]

MAX_CHARACTERS = 25_000_000


class DocumentError(Exception):
    """Raise when a file cannot be searched: `code` and `message` are its `last_error`."""

    def __init__(self, code: ErrorCode, message: str) -> None:
        super().__init__(message)
        self.code: ErrorCode = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Heading:
    """`start` is where its section begins, in code points; `level` is 1 for the outermost."""

    start: int
    level: int
    title: str


@dataclass(frozen=True, slots=True)
class ExtractedText:
    """`pages` holds where each page begins, in code points; none if the format has no pages."""

    content: str
    pages: tuple[int, ...] = ()
    headings: tuple[Heading, ...] = ()


@dataclass(frozen=True, slots=True)
class ExtractionFailure:
    """A `DocumentError`, as it passes between processes."""

    code: ErrorCode
    message: str
