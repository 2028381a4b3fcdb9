"""A vector store as it lies in the table: its own row, and those that count its files."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from assistants.domain.ids import ProjectId, VectorStoreId, order_of
from assistants.domain.vector_store import StoreHead, VectorStore
from assistants.ports.table import Key, Row
from assistants.services.storage import keys
from assistants.services.vector_stores.file_counts import SHARDS, USAGE, counts, total


@dataclass(frozen=True)
class LoadedStore:
    head: StoreHead
    row: Row
    counters: Sequence[Row]

    @classmethod
    def of(cls, rows: Iterable[Row]) -> "LoadedStore | None":
        by_sort = {row.key.sort: row for row in rows}
        row = by_sort.pop(f"{keys.STORE_HEAD}HEAD", None)
        if row is None:
            return None
        return cls(StoreHead.model_validate(row.body), row, list(by_sort.values()))

    def shown(self, now: float) -> VectorStore:
        sum_ = total(self.counters)
        file_counts = counts(sum_)
        status = "in_progress" if file_counts.in_progress else "completed"
        return VectorStore.model_validate(
            {
                **self.head.model_dump(exclude={"expired"}),
                "usage_bytes": sum_[USAGE],
                "file_counts": file_counts,
                "status": "expired" if self.head.lapsed(now) else status,
                "expires_at": self.head.expires_at,
            }
        )


def row_keys(project: ProjectId, vector_store_id: VectorStoreId) -> tuple[Key, Key]:
    """Of a store's own row, and of the pointer by which lists find it."""
    pointer = Key(keys.vector_stores(project), order_of(vector_store_id))
    return keys.vector_store(project, vector_store_id), pointer


def head_keys(project: ProjectId, vector_store_id: VectorStoreId) -> Iterator[Key]:
    """Of a store's own row, and of those that count its files."""
    yield keys.vector_store(project, vector_store_id)
    yield from (keys.counter(project, vector_store_id, shard) for shard in range(SHARDS))
