"""Rich Text Format."""

from typing import BinaryIO

from striprtf.striprtf import rtf_to_text

from assistants.documents.plain import MAX_BYTES
from assistants.documents.text import TextWriter
from assistants.domain.retrieval.document_text import DocumentError


def read(file: BinaryIO, writer: TextWriter) -> None:
    content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise DocumentError("invalid_file", "The file is too large to be read.")
    # RTF is ASCII; characters of other encodings are escaped.
    source = content.decode("latin-1")
    writer.add(rtf_to_text(source, errors="replace"))  # type: ignore[no-untyped-call]
