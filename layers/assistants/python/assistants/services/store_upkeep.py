"""What `expire` does for vector stores: everything that is due is ended, or gone on with."""

from dataclasses import dataclass

from assistants.domain.ids import FILE_BATCH
from assistants.ports.store import Key
from assistants.services import keyspace
from assistants.services.file_batches import FileBatches
from assistants.services.keyspace import Place
from assistants.services.removals import Removals
from assistants.services.store_file_records import StoreFileRecords
from assistants.services.vector_stores import VectorStores

KINDS = frozenset({keyspace.STORE, keyspace.REMOVAL, keyspace.RELABELLING})


@dataclass(frozen=True)
class StoreUpkeep:
    stores: VectorStores
    batches: FileBatches
    records: StoreFileRecords
    removals: Removals

    def look(self, place: Place, key: Key) -> None:
        """At a row of one of the `KINDS`. The index may be behind: rows are read again."""
        project, (vector_store_id,) = place.project, place.rest
        if place.kind in (keyspace.REMOVAL, keyspace.RELABELLING):
            self.removals.look(project, vector_store_id, key)
        elif key.sort.startswith(keyspace.FILE_BATCHES):
            batch_id = FILE_BATCH + key.sort.removeprefix(keyspace.FILE_BATCHES)
            self.batches.look(project, vector_store_id, batch_id)
        elif key.sort.startswith(keyspace.STORE_FILES):
            self.records.recheck(project, key)
        else:
            self.stores.expire(project, key)
