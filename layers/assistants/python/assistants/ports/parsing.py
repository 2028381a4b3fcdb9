"""Reading the text of a file where nothing that the file does to its reader matters."""

from typing import Protocol

from pydantic import TypeAdapter, ValidationError

from assistants.domain.retrieval.document_text import (
    MAX_CHARACTERS,
    DocumentError,
    ExtractedText,
    ExtractionFailure,
)

MAX_ANSWER = 6 * MAX_CHARACTERS + 64 * 2**20  # bytes of JSON: the text, its pages and headings

_ANSWER: TypeAdapter[ExtractedText | ExtractionFailure] = TypeAdapter(
    ExtractedText | ExtractionFailure
)


class ParsingUnavailableError(Exception):
    """Raise when no file can be read now; a later try may succeed."""


class Parser(Protocol):
    def parse(self, blob: str, filename: str) -> ExtractedText:
        """The text of the blob, whose kind `filename` tells.

        Raises `DocumentError` and `ParsingUnavailableError`.
        """
        ...


def encoded(answer: ExtractedText | ExtractionFailure) -> bytes:
    """An answer as it passes between processes."""
    return _ANSWER.dump_json(answer)


def decoded(answer: bytes) -> ExtractedText:
    """The text in an answer, which may come from a process that a file has taken over.

    Raises the `DocumentError` that it tells of, or one that says that it is none.
    """
    try:
        found = _ANSWER.validate_json(answer)
    except ValidationError as error:  # the end is missing: its writer was stopped
        raise DocumentError(
            "invalid_file", "Reading the file takes too much time or memory; it may be damaged."
        ) from error
    if isinstance(found, ExtractionFailure):
        raise DocumentError(found.code, found.message)
    if len(found.content) > MAX_CHARACTERS:
        raise DocumentError(
            "invalid_file", f"The file has more than {MAX_CHARACTERS:,} characters."
        )
    return found
