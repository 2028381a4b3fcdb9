"""Files of vector stores: how each File is made searchable, and its progress."""

from typing import Annotated, ClassVar, Literal, get_args

from pydantic import Field

from assistants.domain.attributes import Attributes
from assistants.domain.chunking import DEFAULT, ChunkingStrategy, StaticChunking
from assistants.domain.ids import FileId, VectorStoreId
from assistants.domain.page import Cursor
from assistants.domain.retrieval.document_text import ErrorCode
from assistants.domain.schema import Object, Request

FileStatus = Literal["in_progress", "completed", "failed", "cancelled"]
STATUSES: tuple[FileStatus, ...] = get_args(FileStatus)
POLL_AFTER_MS = 500

CheckedFileId = Annotated[FileId, Field(max_length=64)]


class FileCounts(Object):
    in_progress: int = 0
    completed: int = 0
    failed: int = 0
    cancelled: int = 0
    total: int = 0


class IndexingError(Object):
    code: ErrorCode
    message: str


class VectorStoreFile(Object):
    """A File in a store. `id` is the File's: a store holds each File at most once."""

    id: FileId
    object: Literal["vector_store.file"] = "vector_store.file"
    usage_bytes: int = 0
    created_at: int
    vector_store_id: VectorStoreId
    status: FileStatus = "in_progress"
    last_error: IndexingError | None = None
    chunking_strategy: StaticChunking = DEFAULT
    attributes: Attributes | None = None

    poll_after_ms: ClassVar[int | None] = POLL_AFTER_MS


class StoredVectorStoreFile(VectorStoreFile):
    """A file of a store with the members that the API does not return.

    `entry_id` names the entry (see `EntryRef`) and is its position in lists. `chunks` is how many
    chunks the index may hold of it, None before the first is put there.

    `has_text`: its text is kept, and it need not be parsed again. `requeued_at`: when it was to be
    indexed again, if it ever was. `may_have_gaps`: since then nobody has looked which of its chunks
    the index holds; they may be others than the first ones.
    """

    entry_id: str
    filename: str
    batches: list[str] = []
    chunks: int | None = None
    has_text: bool = False
    requeued_at: int | None = None
    may_have_gaps: bool = False

    @property
    def queued_at(self) -> int:
        """Return when the file was last put into the index queue."""
        return self.requeued_at or self.created_at

    def to_api(self) -> VectorStoreFile:
        return VectorStoreFile.model_validate(
            self.model_dump(include=set(VectorStoreFile.model_fields))
        )


class VectorStoreFileCreate(Request):
    file_id: CheckedFileId
    attributes: Attributes | None = None
    chunking_strategy: ChunkingStrategy | None = None


class VectorStoreFileModify(Request):
    attributes: Attributes | None


class VectorStoreFileCursor(Cursor):
    filter: FileStatus | None = None


class TextContent(Object):
    type: Literal["text"] = "text"
    text: str


class FileContentPage(Object):
    """The text that was extracted from a file."""

    object: Literal["vector_store.file_content.page"] = "vector_store.file_content.page"
    data: list[TextContent]
    has_more: bool = False
    next_page: str | None = None
