"""File batches: files that are attached to a vector store together."""

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


class StoredBatch(Object):
    """A batch as its row holds it. `entries` are the files that may still have to be attached, None
    once all of them are.
    """

    id: str
    created_at: int
    vector_store_id: VectorStoreId
    total: int
    cancelled: bool = False
    entries: list[VectorStoreFileCreate] | None

    def to_api(self, counts: FileCounts) -> VectorStoreFileBatch:
        """Return the API's object. `counts` are of the files attached so far."""
        if self.entries is not None:  # the files not attached yet are not counted yet
            left = max(0, self.total - counts.total + counts.in_progress)
            total = max(self.total, counts.total)
            counts = counts.model_copy(update={"in_progress": left, "total": total})
        status: FileStatus = "in_progress" if counts.in_progress else "completed"
        if 0 < counts.failed == counts.total:
            status = "failed"
        return VectorStoreFileBatch(
            id=self.id,
            created_at=self.created_at,
            vector_store_id=self.vector_store_id,
            status="cancelled" if self.cancelled else status,
            file_counts=counts,
        )


BatchIds = Annotated[list[CheckedFileId], Field(min_length=1, max_length=MAX_BATCH)]
BatchFiles = Annotated[list[VectorStoreFileCreate], Field(min_length=1, max_length=MAX_BATCH)]


class FileBatchCreate(Request):
    """Either `file_ids`, with attributes and chunking for all of them, or `files` with their own.
    As in the API's reference, `files` ignore the members that are meant for all.
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
        """Return one entry per file, the last one for a file that is repeated."""
        entries = self.files or [
            VectorStoreFileCreate(
                file_id=file_id,
                attributes=self.attributes,
                chunking_strategy=self.chunking_strategy,
            )
            for file_id in self.file_ids or ()
        ]
        return list({entry.file_id: entry for entry in entries}.values())
