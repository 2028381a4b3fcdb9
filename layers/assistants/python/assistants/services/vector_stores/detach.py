"""Detach files from vector stores: at a client's request, or because the File is deleted."""

from dataclasses import dataclass

from assistants.domain.ids import EntryRef, FileId, ProjectId
from assistants.ports.clock import Clock
from assistants.ports.table import ConflictError, Delete, Row, Save, Table
from assistants.services.storage import keys
from assistants.services.vector_stores.file_counts import ShardedCounters
from assistants.services.vector_stores.file_repository import (
    StoreFile,
    count_changes,
    status_index_keys,
)
from assistants.services.vector_stores.index_deletions import IndexDeletions

CURSOR_SECONDS = 24 * 3600  # how long a list can continue after a file that was detached
_PAGE = 100


@dataclass(frozen=True)
class FileDetacher:
    table: Table
    counters: ShardedCounters
    index_deletions: IndexDeletions
    clock: Clock

    def detach(self, ref: EntryRef) -> bool:
        """Delete every row of an entry at once, and have its chunks deleted soon after.

        Return False if it was detached already.
        """
        key = keys.store_file(ref)
        while (row := self.table.get(key)[0]) is not None:
            try:
                self._commit(StoreFile.from_row(ref.project, row))
            except ConflictError:
                continue
            self.index_deletions.request(ref)
            return True
        return False

    def detach_everywhere(self, project: ProjectId, file_id: FileId) -> None:
        """Detach a deleted File, which can no longer be attached, from all its stores."""
        partition = keys.stores_of_file(project, file_id)
        while pointers := self.table.query(partition, "V#", limit=_PAGE):
            for pointer in pointers:
                ref = EntryRef(project, pointer.body["store"], pointer.body["entry_id"])
                if not self.detach(ref):
                    self.table.commit(Delete(pointer.key))

    def _commit(self, found: StoreFile) -> None:
        project, file = found.project, found.file
        tombstone = Row(
            keys.tombstone(project, file.vector_store_id, file.id),
            {"entry_id": file.entry_id},
            ttl=int(self.clock.time()) + CURSOR_SECONDS,
        )
        changes = count_changes(file, None)
        self.table.commit(
            Delete(found.row.key, revision=found.row.revision, expected=True),
            Delete(keys.membership(project, file.vector_store_id, file.id)),
            Delete(keys.store_of_file(project, file.id, file.vector_store_id)),
            *(Delete(key) for key in status_index_keys(project, file)),
            Save(tombstone),
            *self.counters.increments(project, file.vector_store_id, changes),
            *self.index_deletions.note(project, file),
        )
