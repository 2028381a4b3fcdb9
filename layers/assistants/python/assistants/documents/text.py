"""The writer through which parsers return the text of a file."""

import re

from assistants.domain.retrieval.document_text import (
    MAX_CHARACTERS,
    DocumentError,
    ExtractedText,
    Heading,
)

MAX_HEADINGS = 100_000
MAX_HEADING_CHARACTERS = 200

# Control characters mean nothing to a reader, but some act on a terminal or a model.
_CONTROLS = [*range(9), 11, 12, *range(14, 32), 127, 0xFEFF, 0xFFFE, 0xFFFF]
_PLAIN: dict[int, str | None] = dict.fromkeys(_CONTROLS) | {0xA0: " "}
_SURROGATE = re.compile("[\ud800-\udfff]")


class TextWriter:
    """Collect a text in pieces. Raises `DocumentError` above the limit of `MAX_CHARACTERS`."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._pages: list[int] = []
        self._headings: list[Heading] = []
        self.length = 0

    def add(self, text: str) -> None:
        """Append `text`, without control characters and with a newline alone as line end."""
        text = _clean(text.replace("\r\n", "\n").replace("\r", "\n"))
        self.length += len(text)
        if self.length > MAX_CHARACTERS:
            raise DocumentError(
                "invalid_file", f"The file has more than {MAX_CHARACTERS:,} characters of text."
            )
        self._parts.append(text)

    def page(self) -> None:
        """Begin a page here. Text before the first call is page 1."""
        self._pages.append(self.length)

    def heading(self, level: int, title: str, *, back: int = 0) -> None:
        """Begin a section here, or `back` characters before."""
        title = " ".join(_clean(title).split())[:MAX_HEADING_CHARACTERS]
        if title and len(self._headings) < MAX_HEADINGS:
            self._headings.append(Heading(self.length - back, level, title))

    def text(self) -> ExtractedText:
        """Return the whole text."""
        content = "".join(self._parts)
        first = [0] if self._pages and self._pages[0] else []
        return ExtractedText(content, (*first, *self._pages), tuple(self._headings))


def _clean(text: str) -> str:
    """Remove control characters, join surrogate pairs and replace lone surrogates."""
    if _SURROGATE.search(text):  # RTF and PDF encode the halves of a pair separately
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text.translate(_PLAIN)
