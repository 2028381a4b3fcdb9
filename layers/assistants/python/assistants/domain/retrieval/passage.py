"""Passages, the results of file search: chunks of the files in vector stores."""

from dataclasses import dataclass, field
from typing import Any

from assistants.domain.ids import EntryRef, FileId, ProjectId, VectorStoreId


@dataclass(frozen=True, slots=True)
class Document:
    """An entry of a vector store (see `EntryRef`) as the index knows it."""

    project: ProjectId
    vector_store_id: VectorStoreId
    file_id: FileId
    entry_id: str
    filename: str = field(compare=False, default="")
    attributes: dict[str, Any] = field(compare=False, default_factory=dict)

    @property
    def ref(self) -> EntryRef:
        return EntryRef(self.project, self.vector_store_id, self.entry_id)


@dataclass(frozen=True, slots=True)
class Chunk:
    """The unit that is embedded, ranked and quoted.

    `start` and `end` are code points of the file's text, which reads `text` there. `pages` are the
    first and last page of its text, from 1; `headings` the titles above it, outermost first.
    """

    number: int
    text: str
    start: int
    end: int
    pages: tuple[int, int] | None = None
    headings: tuple[str, ...] = ()

    def context(self, filename: str) -> str:
        """Return the file name and the headings of the chunk, which are searched with its text."""
        return " > ".join([filename, *self.headings])


@dataclass(frozen=True, slots=True)
class Passage:
    document: Document
    chunk: Chunk
