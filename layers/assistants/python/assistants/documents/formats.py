"""Which parser reads which file: by its extension, checked against its first bytes."""

from importlib import import_module
from pathlib import Path

from assistants.documents.text import TextWriter
from assistants.domain.document_text import DocumentError, Text

# The module is imported only to be used, and only in the confined process.
READERS = {
    "pdf": ("pdf", "read"),
    "docx": ("docx", "read"),
    "doc": ("doc", "read"),
    "pptx": ("pptx", "read"),
    "xlsx": ("tables", "read_xlsx"),
    "csv": ("tables", "read_csv"),
    "tsv": ("tables", "read_csv"),
    "rtf": ("rtf", "read"),
    "html": ("html", "read"),
    "htm": ("html", "read"),
    "md": ("plain", "read_markdown"),
    "markdown": ("plain", "read_markdown"),
    "tex": ("plain", "read_latex"),
}
_CODE_AND_PROSE = (
    "bash bat c cc cfg clj cpp cs css cxx dart diff erl ex f90 go gradle groovy h hpp hs ini java "
    "jl js json jsonl jsx kt less lisp log lua m mjs ml mm pas php pl pm properties proto ps1 py r "
    "rb rs rst scala scss sh sql srt swift tcl tex toml ts tsx txt vb vtt vue xml yaml yml"
)
PLAIN = frozenset(_CODE_AND_PROSE.split())
SIGNATURES = {
    b"%PDF-": "pdf",
    b"PK\x03\x04": "zip",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "ole",
    b"{\\rtf": "rtf",
}
EXPECTED = {"pdf": "pdf", "docx": "zip", "pptx": "zip", "xlsx": "zip", "doc": "ole", "rtf": "rtf"}
WORD = {"zip": "docx", "ole": "doc", "rtf": "rtf"}  # what Word opens whatever the extension says


def extension(filename: str) -> str:
    """In lower case and without the dot; empty if there is none."""
    return Path(filename).suffix.lower().lstrip(".")


def require_supported(filename: str) -> None:
    """Raises `DocumentError` (`unsupported_file`) in the words of the original."""
    kind = extension(filename)
    if kind not in READERS and kind not in PLAIN:
        shown = f".{kind}" if kind else "no extension"
        raise DocumentError(
            "unsupported_file", f"Files with extensions [{shown}] are not supported for retrieval."
        )


def read(path: Path, filename: str) -> Text:
    """The text of the file at `path`. Raises `DocumentError`; a parser may also crash or hang,
    so this is called in a confined process only.
    """
    require_supported(filename)
    kind = _checked(path, extension(filename))
    module, function = READERS.get(kind, ("plain", "read"))
    writer = TextWriter()
    getattr(import_module(f"assistants.documents.{module}"), function)(path, writer)
    text = writer.text()
    if not text.content.strip():
        raise DocumentError("invalid_file", _nothing_found(kind))
    return text


def _checked(path: Path, kind: str) -> str:
    """The kind that the bytes are of. Raises `DocumentError` if the extension cannot be right."""
    with path.open("rb") as stream:
        head = stream.read(1024)
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
