"""The text extracted from a file, with its pages and headings."""

from dataclasses import dataclass
from typing import Literal

ErrorCode = Literal["unsupported_file", "invalid_file", "server_error"]

MAX_CHARACTERS = 25_000_000


class DocumentError(Exception):
    """Raised when a file cannot be searched; becomes its `last_error`."""

    def __init__(self, code: ErrorCode, message: str) -> None:
        super().__init__(message)
        self.code: ErrorCode = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading. `start` is where its section begins, in code points; `level` 1 is outermost."""

    start: int
    level: int
    title: str


@dataclass(frozen=True, slots=True)
class ExtractedText:
    """Text. `pages` holds the start of each page, in code points, if the format has pages."""

    content: str
    pages: tuple[int, ...] = ()
    headings: tuple[Heading, ...] = ()


@dataclass(frozen=True, slots=True)
class ExtractionFailure:
    """A `DocumentError` in the answer of another process."""

    code: ErrorCode
    message: str
