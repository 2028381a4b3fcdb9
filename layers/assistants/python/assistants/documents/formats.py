"""Selects the parser of a file by its extension, checked against its first bytes."""

from collections.abc import Callable
from importlib import import_module
from typing import BinaryIO

from assistants.documents.text import TextWriter
from assistants.domain.formats import extension_of, objection
from assistants.domain.retrieval.document_text import DocumentError, ExtractedText

# The module is imported in the confined process only. What else the table of formats has for file
# search is plain text.
PLAIN = ("plain", "read")
READERS = {
    "pdf": ("pdf", "read"),
    "docx": ("docx", "read"),
    "doc": ("doc", "read"),
    "pptx": ("pptx", "read"),
    "xlsx": ("xlsx", "read"),
    "csv": ("tables", "read_csv"),
    "tsv": ("tables", "read_tsv"),
    "rtf": ("rtf", "read"),
    "html": ("html", "read"),
    "htm": ("html", "read"),
    "md": ("plain", "read_markdown"),
    "markdown": ("plain", "read_markdown"),
    "tex": ("plain", "read_latex"),
}
SIGNATURES = {
    b"%PDF-": "pdf",
    b"PK\x03\x04": "zip",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "ole",
    b"{\\rtf": "rtf",
}
EXPECTED = {"pdf": "pdf", "docx": "zip", "pptx": "zip", "xlsx": "zip", "doc": "ole", "rtf": "rtf"}
WORD = {"zip": "docx", "ole": "doc", "rtf": "rtf"}  # Word opens these whatever the extension is


def require_supported(filename: str) -> None:
    """Raise `DocumentError` (`unsupported_file`) unless files of this name can be searched."""
    if (reason := objection(filename, "search")) is not None:
        raise DocumentError("unsupported_file", reason)


def load(filename: str) -> None:
    """Import what reading a file of this name may take; `read` imports nothing."""
    extension = extension_of(filename)
    for kind in WORD.values() if extension in WORD.values() else (extension,):
        _reader(kind)


def read(file: BinaryIO, filename: str) -> ExtractedText:
    """Return the text of the file. Raises `DocumentError`.

    A parser may also crash or hang, so this is called in a confined process only.
    """
    require_supported(filename)
    kind = _checked(file, extension_of(filename))
    writer = TextWriter()
    _reader(kind)(file, writer)
    text = writer.text()
    if not text.content.strip():
        raise DocumentError("invalid_file", _nothing_found(kind))
    return text


def _reader(kind: str) -> Callable[[BinaryIO, TextWriter], None]:
    module, function = READERS.get(kind, PLAIN)
    reader: Callable[[BinaryIO, TextWriter], None] = getattr(
        import_module(f"assistants.documents.{module}"), function
    )
    return reader


def _checked(file: BinaryIO, kind: str) -> str:
    """Return the format of the bytes. Raises `DocumentError` if it contradicts the extension."""
    head = file.read(1024)
    file.seek(0)
    if not head:
        raise DocumentError("invalid_file", "The file is empty.")
    found = next((kind for mark, kind in SIGNATURES.items() if head.startswith(mark)), None)
    if kind == "pdf" and b"%PDF-" in head:  # readers take a mark that is not at the very start
        return kind
    if kind in ("doc", "docx", "rtf") and found in WORD:
        return WORD[found]
    if found != EXPECTED.get(kind):
        raise DocumentError("invalid_file", f"The content of the file is not that of a .{kind}.")
    return kind


def _nothing_found(kind: str) -> str:
    if kind == "pdf":
        return "The PDF holds no text, only pictures of it; text in pictures is not recognized."
    return "The file holds no text."
