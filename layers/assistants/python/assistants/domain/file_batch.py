"""File batches: files that join a vector store together."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from assistants.domain.attributes import Attributes
from assistants.domain.chunking import ChunkingStrategy
from assistants.domain.errors import InvalidRequestError
from assistants.domain.ids import VectorStoreId
from assistants.domain.schema import Object, Request
from assistants.domain.vector_store_file import (
    POLL_AFTER_MS,
    CheckedFileId,
    FileCounts,
    FileStatus,
    VectorStoreFileCreate,
)

MAX_BATCH = 2_000


class VectorStoreFileBatch(Object):
    id: str
    object: Literal["vector_store.files_batch"] = "vector_store.files_batch"
    created_at: int
    vector_store_id: VectorStoreId
    status: FileStatus = "in_progress"
    file_counts: FileCounts = FileCounts()

    poll_after_ms: ClassVar[int | None] = POLL_AFTER_MS

    @classmethod
    def of(cls, stored: "StoredBatch", counts: FileCounts) -> "VectorStoreFileBatch":
        if stored.entries is not None:  # not all of them are counted yet
            left = max(0, stored.total - counts.total + counts.in_progress)
            total = max(stored.total, counts.total)
            counts = counts.model_copy(update={"in_progress": left, "total": total})
        status: FileStatus = "in_progress" if counts.in_progress else "completed"
        if 0 < counts.failed == counts.total:
            status = "failed"
        return cls(
            id=stored.id,
            created_at=stored.created_at,
            vector_store_id=stored.vector_store_id,
            status="cancelled" if stored.cancelled else status,
            file_counts=counts,
        )


class StoredBatch(Object):
    """`entries` are the files that may still have to be added to the store, None when all are."""

    id: str
    created_at: int
    vector_store_id: VectorStoreId
    total: int
    cancelled: bool = False
    entries: list[VectorStoreFileCreate] | None


BatchIds = Annotated[list[CheckedFileId], Field(min_length=1, max_length=MAX_BATCH)]
BatchFiles = Annotated[list[VectorStoreFileCreate], Field(min_length=1, max_length=MAX_BATCH)]


class FileBatchCreate(Request):
    """`file_ids` with attributes and chunking for all of them, or `files` that bring their own:
    for these what is said of all is ignored, as the API's reference has it.
    """

    file_ids: BatchIds | None = None
    files: BatchFiles | None = None
    attributes: Attributes | None = None
    chunking_strategy: ChunkingStrategy | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> "FileBatchCreate":
        if (self.file_ids is None) == (self.files is None):
            message = "Exactly one of 'file_ids' and 'files' must be given."
            raise InvalidRequestError(message, param="file_ids", code="missing_required_parameter")
        return self

    @property
    def entries(self) -> list[VectorStoreFileCreate]:
        """Each file once: of a repeated one, what is said last."""
        given = self.files or [
            VectorStoreFileCreate(
                file_id=file_id,
                attributes=self.attributes,
                chunking_strategy=self.chunking_strategy,
            )
            for file_id in self.file_ids or ()
        ]
        return list({entry.file_id: entry for entry in given}.values())
