"""PDF, parsed by PDFium: the text page by page, and the outline as headings."""

import re
from collections import defaultdict
from collections.abc import Iterable
from typing import Any, BinaryIO

import pypdfium2

from assistants.documents.text import TextWriter
from assistants.domain.retrieval.document_text import DocumentError

MAX_PAGES = 20_000
MAX_OUTLINE = 20_000
PASSWORD_ERROR = 4  # FPDF_ERR_PASSWORD

# PDFium marks a word that is hyphenated at the end of a line with one of these.
HYPHENATED = re.compile("[\ufffe\x02](?:\r?\n)?")


def read(file: BinaryIO, writer: TextWriter) -> None:
    """Add the text. Raises `DocumentError` if it is damaged, locked, too long or only pictures."""
    try:
        document = pypdfium2.PdfDocument(file)
    except pypdfium2.PdfiumError as error:
        raise _unreadable(error) from error
    pages = len(document)
    if pages > MAX_PAGES:
        raise DocumentError("invalid_file", f"The PDF has more than {MAX_PAGES:,} pages.")
    outline = _outline(document)
    for number in range(pages):
        text = _page_text(document, number)
        writer.page()
        _add_page(writer, text, outline.get(number, ()))


def _add_page(writer: TextWriter, text: str, entries: Iterable[tuple[int, str]]) -> None:
    done = 0
    for level, title in entries:
        words = r"\s+".join(map(re.escape, title.split()))
        found = re.compile(words).search(text, done) if words else None
        if found:
            writer.add(text[done : found.start()])
            done = found.start()
        writer.heading(level, title)
    writer.add(text[done:] + "\n")


def _page_text(document: Any, number: int) -> str:
    try:
        page = document[number]
    except pypdfium2.PdfiumError:
        return ""  # keep the other pages
    text_page = page.get_textpage()
    text: str = HYPHENATED.sub("", text_page.get_text_bounded())
    text_page.close()
    page.close()
    return text.replace("\r\n", "\n")


def _outline(document: Any) -> dict[int, list[tuple[int, str]]]:
    """Return level (from 1) and title of the outline's entries, by page."""
    entries: dict[int, list[tuple[int, str]]] = defaultdict(list)
    for count, bookmark in enumerate(document.get_toc(max_depth=6)):
        destination = bookmark.get_dest()
        page = destination.get_index() if destination else None
        if page is not None:
            entries[page].append((bookmark.level + 1, bookmark.get_title()))
        if count == MAX_OUTLINE:
            break
    return entries


def _unreadable(error: Any) -> DocumentError:
    if error.err_code == PASSWORD_ERROR:
        return DocumentError("invalid_file", "The PDF is protected by a password.")
    return DocumentError("invalid_file", "The file is damaged or not a PDF.")
