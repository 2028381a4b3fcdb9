"""Files leave vector stores: at a client's wish, or because the File itself is deleted."""

from dataclasses import dataclass

from assistants.ports.clock import Clock
from assistants.ports.table import Conflict, Delete, Row, Save, Store
from assistants.services.storage import keys
from assistants.services.vector_stores.file_counts import Tallies
from assistants.services.vector_stores.file_repository import StoreFile, difference, views
from assistants.services.vector_stores.index_deletions import Removals

CURSOR_SECONDS = 24 * 3600  # for how long a list goes on behind a file that has left
_PAGE = 100


@dataclass(frozen=True)
class Detachments:
    store: Store
    tallies: Tallies
    removals: Removals
    clock: Clock

    def detach(self, project: str, vector_store_id: str, attachment: str) -> bool:
        """Every row of the file's stay goes at once, and its chunks soon after. False if it had
        left already.
        """
        key = keys.store_file(project, vector_store_id, attachment)
        while (row := self.store.get(key)[0]) is not None:
            found = StoreFile.of(project, row)
            try:
                self._commit(found)
            except Conflict:
                continue
            self.removals.request(project, vector_store_id, attachment)
            return True
        return False

    def detach_everywhere(self, project: str, file_id: str) -> None:
        """A File that is no more leaves all its stores; none can take it any more."""
        partition = keys.stores_of_file(project, file_id)
        while pointers := self.store.query(partition, "V#", limit=_PAGE):
            for pointer in pointers:
                if not self.detach(project, pointer.body["store"], pointer.body["attachment"]):
                    self.store.commit(Delete(pointer.key))

    def _commit(self, found: StoreFile) -> None:
        project, file = found.project, found.file
        left = Row(
            keys.former_stay(project, file.vector_store_id, file.id),
            {"attachment": file.attachment},
            ttl=int(self.clock.time()) + CURSOR_SECONDS,
        )
        self.store.commit(
            Delete(found.row.key, revision=found.row.revision, expected=True),
            Delete(keys.stay(project, file.vector_store_id, file.id)),
            Delete(keys.store_of_file(project, file.id, file.vector_store_id)),
            *(Delete(key) for key in views(project, file)),
            Save(left),
            *self.tallies.adding(project, file.vector_store_id, difference(file, None)),
            *self.removals.note(project, file),
        )
