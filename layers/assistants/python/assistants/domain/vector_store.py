"""Vector stores: sets of files that are searched together."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from assistants.domain.chunking import ChunkingStrategy
from assistants.domain.errors import InvalidRequestError
from assistants.domain.ids import VectorStoreId
from assistants.domain.schema import Description, Metadata, Name, Object, Part, Request
from assistants.domain.vector_store_file import CheckedFileId, FileCounts

MAX_FILES = 10_000  # per store
DAY_SECONDS = 24 * 3600


class VectorStoreExpiresAfter(Part):
    anchor: Literal["last_active_at"]
    days: Annotated[int, Field(ge=1, le=365)]


class VectorStore(Object):
    id: VectorStoreId
    object: Literal["vector_store"] = "vector_store"
    created_at: int
    name: str | None = None
    description: str | None = None
    usage_bytes: int = 0
    file_counts: FileCounts = FileCounts()
    status: Literal["expired", "in_progress", "completed"] = "completed"
    expires_after: VectorStoreExpiresAfter | None = None
    expires_at: int | None = None
    last_active_at: int
    metadata: Metadata = {}


class StoreHead(Object):
    """The members that a store's own row holds. Its files are counted in rows of their own.

    `expired` is set when its chunks are about to be deleted from the index, and is final.
    """

    id: VectorStoreId
    created_at: int
    name: str | None = None
    description: str | None = None
    expires_after: VectorStoreExpiresAfter | None = None
    last_active_at: int
    metadata: Metadata = {}
    expired: bool = False

    @property
    def expires_at(self) -> int | None:
        """Return when the store expires, in Unix seconds, or None if it never does."""
        after = self.expires_after
        return None if after is None else self.last_active_at + after.days * DAY_SECONDS

    def is_expired(self, now: float) -> bool:
        """Return whether the store has expired, even if `expired` is not set yet."""
        return self.expired or (self.expires_at is not None and self.expires_at <= now)


class VectorStoreCreate(Request):
    name: Name | None = None
    description: Description | None = None
    file_ids: Annotated[list[CheckedFileId], Field(max_length=500)] = []
    expires_after: VectorStoreExpiresAfter | None = None
    chunking_strategy: ChunkingStrategy | None = None
    metadata: Metadata | None = None

    @model_validator(mode="after")
    def _chunks_of_files(self) -> "VectorStoreCreate":
        if self.chunking_strategy is not None and not self.file_ids:
            message = "'chunking_strategy' applies only where 'file_ids' are given."
            raise InvalidRequestError(message, param="chunking_strategy", code="invalid_value")
        return self


class VectorStoreModify(Request):
    name: Name | None = None
    expires_after: VectorStoreExpiresAfter | None = None
    metadata: Metadata | None = None
