"""File batches: create, get and cancel them, and list their files."""

from contextlib import suppress
from dataclasses import dataclass

from assistants.domain.errors import InvalidRequestError, NotFoundError, no_such
from assistants.domain.file_batch import FileBatchCreate, StoredBatch, VectorStoreFileBatch
from assistants.domain.ids import FILE_BATCH, EntryRef, ProjectId, VectorStoreId, check_id
from assistants.domain.page import Page
from assistants.domain.vector_store_file import VectorStoreFile, VectorStoreFileCursor
from assistants.ports.clock import Clock
from assistants.ports.table import ConflictError, Replace, Require, Row, Table
from assistants.services.files.service import Files
from assistants.services.storage import keys
from assistants.services.vector_stores.batch_attach import BatchAttacher
from assistants.services.vector_stores.file_cancellation import FileCancellation
from assistants.services.vector_stores.file_counts import SHARDS, sum_counters, to_file_counts
from assistants.services.vector_stores.file_repository import StoreFile
from assistants.services.vector_stores.files import VectorStoreFiles
from assistants.services.vector_stores.rows import check_store_id
from assistants.services.vector_stores.service import VectorStores

_RECHECK_SECONDS = 60
_PAGE = 500


@dataclass(frozen=True)
class FileBatches:
    table: Table
    files: Files
    stores: VectorStores
    store_files: VectorStoreFiles
    cancellation: FileCancellation
    attacher: BatchAttacher
    clock: Clock

    def create(
        self,
        project: ProjectId,
        vector_store_id: VectorStoreId,
        body: FileBatchCreate,
        batch_id: str,
    ) -> VectorStoreFileBatch:
        """Create a batch and attach its files.

        Raises `NotFoundError` if one of the files does not exist, and attaches none then.
        """
        entries = body.entries
        ids = [entry.file_id for entry in entries]
        self.files.require_files(project, ids, "file_ids")
        self.stores.admit(project, vector_store_id, ids)
        batch = self.attacher.new_batch(project, vector_store_id, batch_id, entries)
        try:
            self.table.commit(Require(keys.vector_store(project, vector_store_id)), batch)
        except ConflictError as conflict:
            if 0 in conflict.failed:
                raise no_such("vector store", vector_store_id) from conflict
        self.attacher.start(project, vector_store_id, batch_id)
        return self.get(project, vector_store_id, batch_id)

    def get(
        self, project: ProjectId, vector_store_id: VectorStoreId, batch_id: str
    ) -> VectorStoreFileBatch:
        row = self._row(project, vector_store_id, batch_id)
        partition = keys.in_store(project, vector_store_id)
        counters = self.table.query(partition, keys.batch_counters(batch_id), limit=SHARDS)
        return StoredBatch.model_validate(row.body).to_api(to_file_counts(sum_counters(counters)))

    def cancel(
        self, project: ProjectId, vector_store_id: VectorStoreId, batch_id: str
    ) -> VectorStoreFileBatch:
        """Cancel the files that are not indexed yet. Cancelling again changes nothing.

        `recheck` cancels files that are being attached at the moment, a minute later.
        """
        row = self._row(project, vector_store_id, batch_id)
        stored = StoredBatch.model_validate(row.body)
        if not stored.cancelled:
            batch = self.get(project, vector_store_id, batch_id)
            if batch.status != "in_progress":
                message = f"Cannot cancel vector store file batch with status '{batch.status}'."
                raise InvalidRequestError(message)
            cancelled = stored.model_copy(update={"cancelled": True, "entries": None})
            body = cancelled.model_dump(mode="json")
            due_at = int(self.clock.time()) + _RECHECK_SECONDS
            try:
                self.table.commit(Replace(row, row.changed(body, due_at=due_at)))
            except ConflictError:
                return self.cancel(project, vector_store_id, batch_id)
        self._cancel_files(project, vector_store_id, batch_id)
        return self.get(project, vector_store_id, batch_id)

    def list_files(
        self,
        project: ProjectId,
        vector_store_id: VectorStoreId,
        batch_id: str,
        cursor: VectorStoreFileCursor,
    ) -> Page[VectorStoreFile]:
        self._row(project, vector_store_id, batch_id)
        return self.store_files.list(project, vector_store_id, cursor, batch_id)

    def recheck(self, project: ProjectId, vector_store_id: VectorStoreId, batch_id: str) -> None:
        """Resume attaching or cancelling the files of a batch, if that was interrupted."""
        try:
            row = self._row(project, vector_store_id, batch_id)
            if StoredBatch.model_validate(row.body).cancelled:
                self._cancel_files(project, vector_store_id, batch_id)
                with suppress(ConflictError):  # another worker has finished it
                    self.table.commit(Replace(row, row.changed(row.body)))
            else:
                self.attacher.resume(project, vector_store_id, batch_id)
        except NotFoundError:
            return  # the store is deleted, and being purged

    def _cancel_files(
        self, project: ProjectId, vector_store_id: VectorStoreId, batch_id: str
    ) -> None:
        partition = keys.in_store(project, vector_store_id)
        prefix = keys.status_index(batch_id, "in_progress")
        while pointers := self.table.query(partition, prefix, limit=_PAGE):
            refs = (
                EntryRef(project, vector_store_id, pointer.body["entry_id"]) for pointer in pointers
            )
            rows = self.table.get(*map(keys.store_file, refs))
            self.cancellation.cancel([StoreFile.from_row(project, row) for row in rows if row])

    def _row(self, project: ProjectId, vector_store_id: VectorStoreId, batch_id: str) -> Row:
        head, row = self.table.get(
            keys.vector_store(project, check_store_id(vector_store_id)),
            keys.file_batch(project, vector_store_id, check_id(batch_id, FILE_BATCH, "batch_id")),
        )
        if head is None:
            raise no_such("vector store", vector_store_id)
        if row is None:
            raise no_such("vector store file batch", batch_id)
        return row
