"""Text extraction, isolated from the service, as a file may take over its parser."""

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
    """Raised when no file can be parsed now; a later try may succeed."""


class Parser(Protocol):
    def parse(self, blob: str, filename: str) -> ExtractedText:
        """Return the text of the blob, whose format is that of `filename`.

        Raises `DocumentError` and `ParsingUnavailableError`.
        """
        ...


def encoded(answer: ExtractedText | ExtractionFailure) -> bytes:
    """Encode an answer for another process."""
    return _ANSWER.dump_json(answer)


def decoded(answer: bytes) -> ExtractedText:
    """Return the text in an answer, which may come from a process that a file has taken over.

    Raises `DocumentError`: the one in the answer, or one for an answer that is incomplete or too
    long.
    """
    try:
        found = _ANSWER.validate_json(answer)
    except ValidationError as error:  # cut off: the writer was stopped
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
