"""Count the files of a store, and of a batch, while many of them finish at once.

A count is the sum of a few rows. Each change of a file adds its difference to one of them, picked
at random, in the same transaction. So the sum is always right, writers rarely collide, and one that
does has to read only that small row again. Counting the files themselves would take a query per
1 MB of them each time that a client polls; with a single row, all files would queue for it.
"""

import random
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from assistants.domain.ids import ProjectId, VectorStoreId
from assistants.domain.vector_store_file import STATUSES, FileCounts
from assistants.ports.table import Create, Key, Replace, Row, Table, Write
from assistants.services.storage import keys

SHARDS = 4
USAGE = "usage_bytes"

CountChanges = Mapping[str | None, Counter[str]]
"""Amounts to add to the counters of each batch, by its id, and of the store (None)."""


@dataclass(frozen=True)
class ShardedCounters:
    table: Table

    def increments(
        self, project: ProjectId, vector_store_id: VectorStoreId, changes: CountChanges
    ) -> list[Write]:
        """Return the writes that add `changes` to the counters.

        Committing them raises `ConflictError` if another writer has changed the same row in
        between. Call this again then.
        """
        shard = random.randrange(SHARDS)  # noqa: S311 - spreads load, no secret
        wanted = [(batch, change) for batch, change in changes.items() if any(change.values())]
        row_keys = [keys.counter(project, vector_store_id, shard, batch) for batch, _ in wanted]
        rows = self.table.get(*row_keys) if row_keys else []
        return [
            _increment(key, row, change)
            for key, row, (_, change) in zip(row_keys, rows, wanted, strict=True)
        ]


def sum_counters(rows: Iterable[Row]) -> Counter[str]:
    """Add up the rows of one count."""
    sum_: Counter[str] = Counter()
    for row in rows:
        sum_.update(row.body)
    return sum_


def to_file_counts(sum_: Counter[str]) -> FileCounts:
    by_status = {status: sum_[status] for status in STATUSES}
    return FileCounts(**by_status, total=sum(by_status.values()))


def _increment(key: Key, row: Row | None, change: Counter[str]) -> Write:
    if row is None:
        return Create(Row(key, dict(change)))
    sum_ = sum_counters([row])
    sum_.update(change)
    return Replace(row, row.changed(dict(sum_)))
