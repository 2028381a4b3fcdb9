"""What file search finds: a passage of a file, as it is attached to a vector store."""

from dataclasses import dataclass, field
from typing import Any

from assistants.domain.ids import FileId, ProjectId, VectorStoreId


@dataclass(frozen=True, slots=True)
class Document:
    """A file in one vector store. `attachment` names this stay of the file there: when it is
    removed and added again, nothing left over from the first stay can pass for the second's.
    """

    project: ProjectId
    vector_store_id: VectorStoreId
    file_id: FileId
    attachment: str
    filename: str = field(compare=False, default="")
    attributes: dict[str, Any] = field(compare=False, default_factory=dict)


@dataclass(frozen=True, slots=True)
class Chunk:
    """The unit that is embedded, ranked and quoted.

    `start` and `end` are code points of the file's text, which reads `text` there. `pages` are the
    first and last page it stands on, from 1; `headings` the titles above it, outermost first.
    """

    number: int
    text: str
    start: int
    end: int
    pages: tuple[int, int] | None = None
    headings: tuple[str, ...] = ()

    def context(self, filename: str) -> str:
        """What a reader sees around the passage; it is searched with it and not shown with it."""
        return " > ".join([filename, *self.headings])


@dataclass(frozen=True, slots=True)
class Passage:
    document: Document
    chunk: Chunk
