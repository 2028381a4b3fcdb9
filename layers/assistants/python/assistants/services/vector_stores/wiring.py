"""Wire the use cases of this folder over the ports."""

from dataclasses import dataclass
from functools import cached_property

from assistants.services.files.wiring import FileServices
from assistants.services.ports import Ports
from assistants.services.storage.wiring import StorageServices
from assistants.services.vector_stores.attach import FileAttacher
from assistants.services.vector_stores.batch_attach import BatchAttacher
from assistants.services.vector_stores.detach import FileDetacher
from assistants.services.vector_stores.file_batches import FileBatches
from assistants.services.vector_stores.file_cancellation import FileCancellation
from assistants.services.vector_stores.file_counts import ShardedCounters
from assistants.services.vector_stores.file_repository import StoreFileRepository
from assistants.services.vector_stores.files import VectorStoreFiles
from assistants.services.vector_stores.index_attributes import IndexAttributeUpdates
from assistants.services.vector_stores.index_deletions import IndexDeletions
from assistants.services.vector_stores.kept_texts import KeptTexts
from assistants.services.vector_stores.purge import VectorStorePurge
from assistants.services.vector_stores.reindexing import Reindexing
from assistants.services.vector_stores.search import StoreSearcher
from assistants.services.vector_stores.service import VectorStores
from assistants.services.vector_stores.upkeep import VectorStoreUpkeep
from assistants.services.vector_stores.vector_search import VectorSearch


@dataclass(frozen=True)
class VectorStoreServices:
    """Build each part when it is first used."""

    ports: Ports
    storage: StorageServices
    file_services: FileServices

    @cached_property
    def index_deletions(self) -> IndexDeletions:
        ports = self.ports
        return IndexDeletions(ports.table, ports.index_queue, ports.clock)

    @cached_property
    def counters(self) -> ShardedCounters:
        return ShardedCounters(self.ports.table)

    @cached_property
    def detacher(self) -> FileDetacher:
        ports = self.ports
        return FileDetacher(ports.table, self.counters, self.index_deletions, ports.clock)

    @cached_property
    def file_repository(self) -> StoreFileRepository:
        return StoreFileRepository(
            self.ports.table,
            self.counters,
            self.index_deletions,
            self.ports.index,
            self.ports.clock,
        )

    @cached_property
    def file_cancellation(self) -> FileCancellation:
        return FileCancellation(self.ports.table, self.counters, self.index_deletions)

    @cached_property
    def attribute_updates(self) -> IndexAttributeUpdates:
        ports = self.ports
        return IndexAttributeUpdates(ports.table, ports.index, ports.clock)

    @cached_property
    def attacher(self) -> FileAttacher:
        return FileAttacher(
            table=self.ports.table,
            files=self.file_services.service,
            counters=self.counters,
            detacher=self.detacher,
            queue=self.ports.index_queue,
            clock=self.ports.clock,
        )

    @cached_property
    def batch_attacher(self) -> BatchAttacher:
        return BatchAttacher(self.ports.table, self.attacher, self.ports.clock)

    @cached_property
    def service(self) -> VectorStores:
        return VectorStores(
            self.ports.table,
            self.file_services.service,
            self.batch_attacher,
            self.storage.purge_requests,
            self.ports.clock,
        )

    @cached_property
    def files(self) -> VectorStoreFiles:
        return VectorStoreFiles(
            table=self.ports.table,
            texts=self.texts,
            files=self.file_services.service,
            stores=self.service,
            attacher=self.attacher,
            detacher=self.detacher,
            attribute_updates=self.attribute_updates,
        )

    @cached_property
    def file_batches(self) -> FileBatches:
        return FileBatches(
            table=self.ports.table,
            files=self.file_services.service,
            stores=self.service,
            store_files=self.files,
            cancellation=self.file_cancellation,
            attacher=self.batch_attacher,
            clock=self.ports.clock,
        )

    @cached_property
    def vector_search(self) -> VectorSearch:
        return VectorSearch(self.ports.index, self.ports.embedder)

    @cached_property
    def search(self) -> StoreSearcher:
        return StoreSearcher(self.ports.table, self.service, self.vector_search)

    @cached_property
    def purge(self) -> VectorStorePurge:
        return VectorStorePurge(self.ports.table, self.file_cancellation, self.index_deletions)

    @cached_property
    def texts(self) -> KeptTexts:
        return KeptTexts(self.ports.blobs)

    @cached_property
    def reindexing(self) -> Reindexing:
        return Reindexing(self.ports.table, self.file_repository, self.ports.clock)

    @cached_property
    def upkeep(self) -> VectorStoreUpkeep:
        return VectorStoreUpkeep(
            stores=self.service,
            batches=self.file_batches,
            repository=self.file_repository,
            index_deletions=self.index_deletions,
        )
