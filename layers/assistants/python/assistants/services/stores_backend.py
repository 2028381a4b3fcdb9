"""Files, vector stores and the searches in them, wired together over the ports."""

from dataclasses import dataclass
from functools import cached_property

from assistants.services.files.contents import FileStorage
from assistants.services.files.service import Files
from assistants.services.maintenance.purge import Purges
from assistants.services.ports import Deployed
from assistants.services.threads.attachments import Attachments
from assistants.services.tools.code_interpreter.repository import SandboxRecords
from assistants.services.tools.code_interpreter.sessions import NoSandboxes, SandboxSessions
from assistants.services.tools.code_interpreter.warm_pool import SpareSessions
from assistants.services.vector_stores.attach import StoreIntake
from assistants.services.vector_stores.batch_attach import BatchIntake
from assistants.services.vector_stores.detach import Detachments
from assistants.services.vector_stores.file_batches import FileBatches
from assistants.services.vector_stores.file_cancellation import StoreFileEndings
from assistants.services.vector_stores.file_counts import Tallies
from assistants.services.vector_stores.file_repository import StoreFileRecords
from assistants.services.vector_stores.files import StoreFiles
from assistants.services.vector_stores.index_attributes import Relabellings
from assistants.services.vector_stores.index_deletions import Removals
from assistants.services.vector_stores.purge import StorePurges
from assistants.services.vector_stores.search import StoreSearch
from assistants.services.vector_stores.service import VectorStores
from assistants.services.vector_stores.upkeep import StoreUpkeep
from assistants.services.vector_stores.vector_search import VectorSearch


@dataclass(frozen=True)
class StoresBackend(Deployed):
    """What of the service needs neither threads nor runs. Each part is built when it is first asked
    for.
    """

    @cached_property
    def sandbox_sessions(self) -> SandboxSessions:
        sandboxes = self.sandboxes or NoSandboxes()
        return SandboxSessions(
            SandboxRecords(self.store), sandboxes, self.spare_sessions, self.clock
        )

    @cached_property
    def spare_sessions(self) -> SpareSessions:
        sandboxes, size = self.sandboxes or NoSandboxes(), self.sandbox_spares
        return SpareSessions(self.store, sandboxes, self.clock, size if self.sandboxes else 0)

    @cached_property
    def file_storage(self) -> FileStorage:
        return FileStorage(self.store, self.blobs, self.detachments, self.clock)

    @cached_property
    def files(self) -> Files:
        return Files(self.store, self.file_storage, self.clock)

    @cached_property
    def purges(self) -> Purges:
        stores = StorePurges(self.store, self.store_file_endings, self.removals)
        return Purges(self.store, self.purge_queue, stores, self.sandbox_sessions)

    @cached_property
    def removals(self) -> Removals:
        return Removals(self.store, self.index_queue, self.clock)

    @cached_property
    def tallies(self) -> Tallies:
        return Tallies(self.store)

    @cached_property
    def detachments(self) -> Detachments:
        return Detachments(self.store, self.tallies, self.removals, self.clock)

    @cached_property
    def store_file_records(self) -> StoreFileRecords:
        return StoreFileRecords(self.store, self.tallies, self.removals, self.index, self.clock)

    @cached_property
    def store_file_endings(self) -> StoreFileEndings:
        return StoreFileEndings(self.store, self.tallies, self.removals)

    @cached_property
    def relabellings(self) -> Relabellings:
        return Relabellings(self.store, self.index, self.clock)

    @cached_property
    def store_intake(self) -> StoreIntake:
        return StoreIntake(
            store=self.store,
            files=self.files,
            tallies=self.tallies,
            detachments=self.detachments,
            queue=self.index_queue,
            clock=self.clock,
        )

    @cached_property
    def batch_intake(self) -> BatchIntake:
        return BatchIntake(self.store, self.store_intake, self.clock)

    @cached_property
    def vector_stores(self) -> VectorStores:
        return VectorStores(self.store, self.files, self.batch_intake, self.purges, self.clock)

    @cached_property
    def store_files(self) -> StoreFiles:
        return StoreFiles(
            store=self.store,
            blobs=self.blobs,
            files=self.files,
            stores=self.vector_stores,
            intake=self.store_intake,
            detachments=self.detachments,
            relabellings=self.relabellings,
        )

    @cached_property
    def file_batches(self) -> FileBatches:
        return FileBatches(
            store=self.store,
            files=self.files,
            stores=self.vector_stores,
            store_files=self.store_files,
            endings=self.store_file_endings,
            intake=self.batch_intake,
            clock=self.clock,
        )

    @cached_property
    def vector_search(self) -> VectorSearch:
        return VectorSearch(self.index, self.embedder)

    @cached_property
    def store_search(self) -> StoreSearch:
        return StoreSearch(self.store, self.vector_stores, self.vector_search)

    @cached_property
    def store_upkeep(self) -> StoreUpkeep:
        return StoreUpkeep(
            stores=self.vector_stores,
            batches=self.file_batches,
            records=self.store_file_records,
            removals=self.removals,
        )

    @cached_property
    def attachments(self) -> Attachments:
        return Attachments(self.vector_stores, self.batch_intake)
