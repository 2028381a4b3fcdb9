"""Files leave vector stores: at a client's wish, or because the File itself is deleted."""

from dataclasses import dataclass

from assistants.domain.ids import FileId, ProjectId, VectorStoreId
from assistants.ports.clock import Clock
from assistants.ports.table import ConflictError, Delete, Row, Save, Table
from assistants.services.storage import keys
from assistants.services.vector_stores.file_counts import ShardedCounters
from assistants.services.vector_stores.file_repository import StoreFile, difference, views
from assistants.services.vector_stores.index_deletions import IndexDeletions

CURSOR_SECONDS = 24 * 3600  # for how long a list goes on behind a file that has left
_PAGE = 100


@dataclass(frozen=True)
class FileDetacher:
    table: Table
    counters: ShardedCounters
    index_deletions: IndexDeletions
    clock: Clock

    def detach(self, project: ProjectId, vector_store_id: VectorStoreId, attachment: str) -> bool:
        """Every row of the file's stay goes at once, and its chunks soon after. False if it had
        left already.
        """
        key = keys.store_file(project, vector_store_id, attachment)
        while (row := self.table.get(key)[0]) is not None:
            found = StoreFile.of(project, row)
            try:
                self._commit(found)
            except ConflictError:
                continue
            self.index_deletions.request(project, vector_store_id, attachment)
            return True
        return False

    def detach_everywhere(self, project: ProjectId, file_id: FileId) -> None:
        """A File that is no more leaves all its stores; none can take it any more."""
        partition = keys.stores_of_file(project, file_id)
        while pointers := self.table.query(partition, "V#", limit=_PAGE):
            for pointer in pointers:
                if not self.detach(project, pointer.body["store"], pointer.body["attachment"]):
                    self.table.commit(Delete(pointer.key))

    def _commit(self, found: StoreFile) -> None:
        project, file = found.project, found.file
        left = Row(
            keys.tombstone(project, file.vector_store_id, file.id),
            {"attachment": file.attachment},
            ttl=int(self.clock.time()) + CURSOR_SECONDS,
        )
        self.table.commit(
            Delete(found.row.key, revision=found.row.revision, expected=True),
            Delete(keys.membership(project, file.vector_store_id, file.id)),
            Delete(keys.store_of_file(project, file.id, file.vector_store_id)),
            *(Delete(key) for key in views(project, file)),
            Save(left),
            *self.counters.adding(project, file.vector_store_id, difference(file, None)),
            *self.index_deletions.note(project, file),
        )
