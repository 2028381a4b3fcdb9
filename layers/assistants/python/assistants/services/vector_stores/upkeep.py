"""The work of `expire` on vector stores: end or resume whatever is due."""

from dataclasses import dataclass

from assistants.domain.ids import FILE_BATCH, EntryRef, VectorStoreId
from assistants.ports.table import Key
from assistants.services.storage import keys
from assistants.services.storage.places import Place
from assistants.services.vector_stores.file_batches import FileBatches
from assistants.services.vector_stores.file_repository import StoreFileRepository
from assistants.services.vector_stores.index_deletions import IndexDeletions
from assistants.services.vector_stores.service import VectorStores

KINDS = frozenset({keys.STORE, keys.INDEX_DELETION, keys.ATTRIBUTE_UPDATE})


@dataclass(frozen=True)
class VectorStoreUpkeep:
    stores: VectorStores
    batches: FileBatches
    repository: StoreFileRepository
    index_deletions: IndexDeletions

    def process(self, place: Place, key: Key) -> None:
        """Process one due row of one of the `KINDS`. Read the row again, since the `due` index may
        lag.
        """
        project, vector_store_id = place.project, VectorStoreId(place.rest[0])
        if place.kind in (keys.INDEX_DELETION, keys.ATTRIBUTE_UPDATE):
            self.index_deletions.recheck(EntryRef(project, vector_store_id, key.sort), key)
        elif key.sort.startswith(keys.FILE_BATCHES):
            batch_id = FILE_BATCH + key.sort.removeprefix(keys.FILE_BATCHES)
            self.batches.recheck(project, vector_store_id, batch_id)
        elif key.sort.startswith(keys.STORE_FILES):
            self.repository.recheck(project, key)
        else:
            self.stores.expire(project, key)
