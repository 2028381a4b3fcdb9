"""Files of vector stores: what makes a File searchable, and how far that has come."""

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
    """`id` is the File's: a store holds each File once."""

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
    """A file of a store and what is known of it but not shown.

    `attachment` names this stay of the File in the store and is its place in lists. `chunks` is
    how many the index may hold of it, None before the first is put there.
    """

    attachment: str
    filename: str
    batches: list[str] = []
    chunks: int | None = None


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
    """The text that was read from a file."""

    object: Literal["vector_store.file_content.page"] = "vector_store.file_content.page"
    data: list[TextContent]
    has_more: bool = False
    next_page: str | None = None


def shown(file: StoredVectorStoreFile) -> VectorStoreFile:
    return VectorStoreFile.model_validate(
        file.model_dump(include=set(VectorStoreFile.model_fields))
    )
