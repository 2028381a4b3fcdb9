"""Counting the files of a store, and of a batch, while hundreds of them end at once.

A count is the sum of a few rows. Whatever changes a file adds its difference to one of them, picked
by chance, in the same transaction: so the sum is always right, writers seldom meet, and one that
does has only to read that small row again. Counting the files themselves would need a query for
each 1 MB of them every time that a client polls; one row for all would have every file wait in
line behind every other.
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


@dataclass(frozen=True)
class ShardedCounters:
    table: Table

    def adding(
        self,
        project: ProjectId,
        vector_store_id: VectorStoreId,
        changes: Mapping[str | None, Counter[str]],
    ) -> list[Write]:
        """The writes that add differences to the counts of batches (by id) and of the store (None).

        They are refused when another has added to the same row since: make them anew then.
        """
        shard = random.randrange(SHARDS)  # noqa: S311 - spreads load, no secret
        wanted = [(batch, change) for batch, change in changes.items() if any(change.values())]
        places = [keys.counter(project, vector_store_id, shard, batch) for batch, _ in wanted]
        rows = self.table.get(*places) if places else []
        return [
            _added(key, row, change)
            for key, row, (_, change) in zip(places, rows, wanted, strict=True)
        ]


def total(rows: Iterable[Row]) -> Counter[str]:
    """What the rows of one tally add up to."""
    sum_: Counter[str] = Counter()
    for row in rows:
        sum_.update(row.body)
    return sum_


def counts(sum_: Counter[str]) -> FileCounts:
    by_status = {status: sum_[status] for status in STATUSES}
    return FileCounts(**by_status, total=sum(by_status.values()))


def _added(key: Key, row: Row | None, change: Counter[str]) -> Write:
    if row is None:
        return Create(Row(key, dict(change)))
    sum_ = total([row])
    sum_.update(change)
    return Replace(row, row.changed(dict(sum_)))
