"""Cancel many files of a vector store: a few in each transaction."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from assistants.ports.table import ConflictError, Table, Write
from assistants.services.vector_stores.file_counts import ShardedCounters
from assistants.services.vector_stores.file_repository import (
    NOTHING_KEPT,
    StoreFile,
    prepare_change,
)
from assistants.services.vector_stores.index_deletions import IndexDeletions

_ROWS = 90  # for files, per transaction; DynamoDB allows 100, and the counters need some
_CANCELLED = {"status": "cancelled", **NOTHING_KEPT}


@dataclass(frozen=True)
class FileCancellation:
    table: Table
    counters: ShardedCounters
    index_deletions: IndexDeletions

    def cancel(self, files: Sequence[StoreFile]) -> None:
        """Cancel these files, which are of one store and in progress.

        Files that have changed since they were read may be left as they are. Read them again.
        """
        group: list[StoreFile] = []
        rows = 0
        for file in files:
            needed = 4 + 3 * len(file.file.batches)  # including one counter per batch
            if group and rows + needed > _ROWS:
                self._cancel(group)
                group, rows = [], 0
            group.append(file)
            rows += needed
        if group:
            self._cancel(group)

    def _cancel(self, group: Sequence[StoreFile]) -> None:
        writes: list[Write] = []
        counts: dict[str | None, Counter[str]] = {}
        for file in group:
            change = prepare_change(file, _CANCELLED)
            writes += [*change.writes, *self.index_deletions.note(file.project, file.file)]
            for batch_id, count in change.counts.items():
                counts.setdefault(batch_id, Counter()).update(count)
        project, vector_store_id, _ = group[0].ref
        increments = self.counters.increments(project, vector_store_id, counts)
        try:
            self.table.commit(*writes, *increments)
        except ConflictError:
            return
        self.index_deletions.request(*(file.ref for file in group))
