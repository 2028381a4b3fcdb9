"""What `expire` does for vector stores: everything that is due is ended, or gone on with."""

from dataclasses import dataclass

from assistants.domain.ids import FILE_BATCH
from assistants.ports.table import Key
from assistants.services.storage import keys
from assistants.services.storage.keys import Place
from assistants.services.vector_stores.file_batches import FileBatches
from assistants.services.vector_stores.file_repository import StoreFileRecords
from assistants.services.vector_stores.index_deletions import Removals
from assistants.services.vector_stores.service import VectorStores

KINDS = frozenset({keys.STORE, keys.REMOVAL, keys.RELABELLING})


@dataclass(frozen=True)
class StoreUpkeep:
    stores: VectorStores
    batches: FileBatches
    records: StoreFileRecords
    removals: Removals

    def look(self, place: Place, key: Key) -> None:
        """At a row of one of the `KINDS`. The index may be behind: rows are read again."""
        project, (vector_store_id,) = place.project, place.rest
        if place.kind in (keys.REMOVAL, keys.RELABELLING):
            self.removals.look(project, vector_store_id, key)
        elif key.sort.startswith(keys.FILE_BATCHES):
            batch_id = FILE_BATCH + key.sort.removeprefix(keys.FILE_BATCHES)
            self.batches.look(project, vector_store_id, batch_id)
        elif key.sort.startswith(keys.STORE_FILES):
            self.records.recheck(project, key)
        else:
            self.stores.expire(project, key)
