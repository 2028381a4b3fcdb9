"""Rich Text Format."""

from pathlib import Path

from striprtf.striprtf import rtf_to_text

from assistants.documents.plain import MAX_BYTES
from assistants.documents.text import TextWriter
from assistants.domain.retrieval.document_text import DocumentError


def read(path: Path, writer: TextWriter) -> None:
    if path.stat().st_size > MAX_BYTES:
        raise DocumentError("invalid_file", "The file is too large to be read.")
    # RTF is ASCII; characters of other encodings are escaped.
    source = path.read_bytes().decode("latin-1")
    writer.add(rtf_to_text(source, errors="replace"))  # type: ignore[no-untyped-call]
