"""The rows of a vector store: its own, and the counters of its files."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from assistants.domain.ids import VECTOR_STORE, ProjectId, VectorStoreId, check_id, order_of
from assistants.domain.vector_store import StoreHead, VectorStore
from assistants.ports.table import Key, Row
from assistants.services.storage import keys
from assistants.services.vector_stores.file_counts import (
    SHARDS,
    USAGE,
    sum_counters,
    to_file_counts,
)


@dataclass(frozen=True)
class LoadedStore:
    head: StoreHead
    row: Row
    counters: Sequence[Row]

    @classmethod
    def from_rows(cls, rows: Iterable[Row]) -> "LoadedStore | None":
        """Read a store from its own row and its counters, or return None without the former."""
        by_sort = {row.key.sort: row for row in rows}
        row = by_sort.pop(f"{keys.STORE_HEAD}HEAD", None)
        if row is None:
            return None
        return cls(StoreHead.model_validate(row.body), row, list(by_sort.values()))

    def to_api(self, now: float) -> VectorStore:
        sum_ = sum_counters(self.counters)
        file_counts = to_file_counts(sum_)
        status = "in_progress" if file_counts.in_progress else "completed"
        return VectorStore.model_validate(
            {
                **self.head.model_dump(exclude={"expired"}),
                "usage_bytes": sum_[USAGE],
                "file_counts": file_counts,
                "status": "expired" if self.head.is_expired(now) else status,
                "expires_at": self.head.expires_at,
            }
        )


def check_store_id(vector_store_id: str) -> VectorStoreId:
    """Return the id of a request's path. Raises `InvalidRequestError` if it is malformed."""
    return check_id(vector_store_id, VECTOR_STORE, "vector_store_id")


def row_keys(project: ProjectId, vector_store_id: VectorStoreId) -> tuple[Key, Key]:
    """Return the keys of a store's own row, and of the pointer by which lists find it."""
    pointer = Key(keys.vector_stores(project), order_of(vector_store_id))
    return keys.vector_store(project, vector_store_id), pointer


def head_keys(project: ProjectId, vector_store_id: VectorStoreId) -> Iterator[Key]:
    """Yield the keys of a store's own row, and of the counters of its files."""
    yield keys.vector_store(project, vector_store_id)
    yield from (keys.counter(project, vector_store_id, shard) for shard in range(SHARDS))
