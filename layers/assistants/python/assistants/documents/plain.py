"""Plain text: prose, markup and code, in any encoding."""

import re
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from typing import BinaryIO

from charset_normalizer import from_bytes

from assistants.documents.text import TextWriter
from assistants.domain.retrieval.document_text import MAX_CHARACTERS, DocumentError

MAX_BYTES = 4 * MAX_CHARACTERS
SAMPLE = 100_000  # bytes; enough to detect an encoding, which is slow

MARKDOWN_HEADING = re.compile(r"^ {0,3}(#{1,6})[ \t]+")
MARKDOWN_FENCE = re.compile(r"^ {0,3}(```|~~~)")
LATEX_HEADING = re.compile(
    r"^[^%\n]{0,200}?\\(part|chapter|section|subsection|subsubsection)\*?"
    r"(?:\[[^\]\n]{0,300}\])?\{([^}\n]{1,300})\}"
)
LATEX_LEVELS = {"part": 1, "chapter": 2, "section": 3, "subsection": 4, "subsubsection": 5}


def read(file: BinaryIO, writer: TextWriter) -> None:
    """Add the text unchanged."""
    writer.add(decoded(file))


def read_markdown(file: BinaryIO, writer: TextWriter) -> None:
    """Add the text unchanged, and its `#` headings."""
    fenced = False
    for line in decoded(file).splitlines(keepends=True):
        if MARKDOWN_FENCE.match(line):
            fenced = not fenced
        found = None if fenced else MARKDOWN_HEADING.match(line)
        if found:
            writer.heading(len(found[1]), line[found.end() :].rstrip().rstrip("#"))
        writer.add(line)


def read_latex(file: BinaryIO, writer: TextWriter) -> None:
    """Add the text unchanged, and its sectioning commands as headings."""
    for line in decoded(file).splitlines(keepends=True):
        if found := LATEX_HEADING.match(line):
            writer.heading(LATEX_LEVELS[found[1]], found[2])
        writer.add(line)


def decoded(file: BinaryIO) -> str:
    """Return the text of a file. Raises `DocumentError` if it is not text, or too long."""
    data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise DocumentError(
            "invalid_file", f"The file has more than {MAX_CHARACTERS:,} characters of text."
        )
    try:
        return data.decode(_encoding(data))
    except (UnicodeDecodeError, LookupError) as error:
        raise _not_text() from error


def _encoding(data: bytes) -> str:
    if data.startswith(BOM_UTF8):
        return "utf-8-sig"
    if data.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        return "utf-16"
    if b"\0" in data[:SAMPLE]:
        return _encoding_with_zeros(data[: SAMPLE // 2 * 2])
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return _guessed(data)
    return "utf-8"


def _encoding_with_zeros(sample: bytes) -> str:
    """Detect UTF-16 without a byte order mark: about every second byte of western text is zero."""
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    if max(even, odd) < len(sample) * 0.2 or min(even, odd) > len(sample) * 0.05:
        raise _not_text()
    return "utf-16-le" if odd > even else "utf-16-be"


def _guessed(data: bytes) -> str:
    best = from_bytes(data[:SAMPLE]).best()
    if best is None:
        raise _not_text()
    return best.encoding


def _not_text() -> DocumentError:
    return DocumentError(
        "invalid_file", "The file is not text in UTF-8, UTF-16 or another known encoding."
    )
