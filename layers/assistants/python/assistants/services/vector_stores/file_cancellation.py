"""Cancelling many files of a vector store: a few in each transaction."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from assistants.ports.table import ConflictError, Table, Write
from assistants.services.vector_stores.file_counts import ShardedCounters
from assistants.services.vector_stores.file_repository import StoreFile, changing
from assistants.services.vector_stores.index_deletions import IndexDeletions

_ROWS = 90  # of files in one transaction; DynamoDB allows 100, and the counts need some
_CANCELLED = {"status": "cancelled", "chunks": None}


@dataclass(frozen=True)
class FileCancellation:
    table: Table
    counters: ShardedCounters
    index_deletions: IndexDeletions

    def cancel(self, files: Sequence[StoreFile]) -> None:
        """Those of one store that are in progress, as they were read. What has changed since is
        left as it is: look again.
        """
        group: list[StoreFile] = []
        rows = 0
        for file in files:
            needed = 4 + 3 * len(file.file.batches)  # with one that counts for each batch
            if group and rows + needed > _ROWS:
                self._cancel(group)
                group, rows = [], 0
            group.append(file)
            rows += needed
        if group:
            self._cancel(group)

    def _cancel(self, group: Sequence[StoreFile]) -> None:
        project, vector_store_id = group[0].project, group[0].vector_store_id
        writes: list[Write] = []
        counts: dict[str | None, Counter[str]] = {}
        for file in group:
            change = changing(file, _CANCELLED)
            writes += [*change.writes, *self.index_deletions.note(project, file.file)]
            for whose, count in change.counts.items():
                counts.setdefault(whose, Counter()).update(count)
        try:
            self.table.commit(*writes, *self.counters.adding(project, vector_store_id, counts))
        except ConflictError:
            return
        attachments = [file.attachment for file in group]
        self.index_deletions.request(project, vector_store_id, *attachments)
