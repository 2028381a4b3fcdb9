"""Keep the text extracted from a file of a store, so that it can be shown and indexed again.

The text is one blob, as UTF-8. Its pages and headings are another, as chunks depend on them.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from pydantic import TypeAdapter

from assistants.domain.retrieval.document_text import ExtractedText
from assistants.domain.retrieval.passage import Document
from assistants.ports.blobs import Blobs

TEXTS = "texts/"  # then the project
_PIECE_CHARACTERS = 2**20
_LAYOUT = TypeAdapter(ExtractedText)


@dataclass(frozen=True)
class KeptTexts:
    blobs: Blobs

    def write(self, document: Document, text: ExtractedText) -> None:
        layout = _LAYOUT.dump_json(replace(text, content=""))
        self.blobs.write(_layout_blob(document), [layout])
        self.blobs.write(_text_blob(document), _pieces(text))

    def read(self, document: Document) -> ExtractedText:
        """Return the text with its pages and headings. Raises `BlobMissingError`."""
        layout = _LAYOUT.validate_json(b"".join(self.blobs.read(_layout_blob(document))))
        return replace(layout, content=self.content(document))

    def content(self, document: Document) -> str:
        """Return the text alone. Raises `BlobMissingError`."""
        return b"".join(self.blobs.read(_text_blob(document))).decode()

    def delete(self, document: Document) -> None:
        self.blobs.delete([_text_blob(document), _layout_blob(document)])


def _text_blob(document: Document) -> str:
    return f"{TEXTS}{document.project}/{document.vector_store_id}/{document.entry_id}"


def _layout_blob(document: Document) -> str:
    return f"{_text_blob(document)}.layout"


def _pieces(text: ExtractedText) -> Iterator[bytes]:
    for start in range(0, len(text.content), _PIECE_CHARACTERS):
        yield text.content[start : start + _PIECE_CHARACTERS].encode()
