"""File batches: create, get, cancel, list their files."""

from contextlib import suppress
from dataclasses import dataclass

from assistants.domain.errors import InvalidRequestError, NotFoundError, no_such
from assistants.domain.file_batch import FileBatchCreate, StoredBatch, VectorStoreFileBatch
from assistants.domain.ids import FILE_BATCH, VECTOR_STORE, ProjectId, VectorStoreId, check_id
from assistants.domain.page import Page
from assistants.domain.vector_store_file import VectorStoreFile, VectorStoreFileCursor
from assistants.ports.clock import Clock
from assistants.ports.table import ConflictError, Replace, Require, Row, Table
from assistants.services.files.service import Files
from assistants.services.storage import keys
from assistants.services.vector_stores.batch_attach import BatchAttacher
from assistants.services.vector_stores.file_cancellation import FileCancellation
from assistants.services.vector_stores.file_counts import SHARDS, counts, total
from assistants.services.vector_stores.file_repository import StoreFile
from assistants.services.vector_stores.files import StoreFiles
from assistants.services.vector_stores.service import VectorStores

_RECHECK_SECONDS = 60
_PAGE = 500


@dataclass(frozen=True)
class FileBatches:
    table: Table
    files: Files
    stores: VectorStores
    store_files: StoreFiles
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
        """Raises `NotFoundError` if one of the files does not exist: then none joins."""
        entries = body.entries
        ids = [entry.file_id for entry in entries]
        self.files.require(project, ids, "file_ids")
        self.stores.admit(project, vector_store_id, ids)
        batch = self.attacher.batch(project, vector_store_id, batch_id, entries)
        try:
            self.table.commit(Require(keys.vector_store(project, vector_store_id)), batch)
        except ConflictError as conflict:
            if 0 in conflict.failed:
                raise no_such("vector store", vector_store_id) from conflict
        self.attacher.begin(project, vector_store_id, batch_id)
        return self.get(project, vector_store_id, batch_id)

    def get(
        self, project: ProjectId, vector_store_id: VectorStoreId, batch_id: str
    ) -> VectorStoreFileBatch:
        row = self._row(project, vector_store_id, batch_id)
        partition = keys.in_store(project, vector_store_id)
        counters = self.table.query(partition, keys.batch_counters(batch_id), limit=SHARDS)
        return VectorStoreFileBatch.of(
            StoredBatch.model_validate(row.body), counts(total(counters))
        )

    def cancel(
        self, project: ProjectId, vector_store_id: VectorStoreId, batch_id: str
    ) -> VectorStoreFileBatch:
        """What is not indexed yet will not be. Cancelling again changes nothing.

        `look` cancels a minute later what was just joining.
        """
        row = self._row(project, vector_store_id, batch_id)
        stored = StoredBatch.model_validate(row.body)
        if not stored.cancelled:
            shown = self.get(project, vector_store_id, batch_id)
            if shown.status != "in_progress":
                message = f"Cannot cancel vector store file batch with status '{shown.status}'."
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

    def look(self, project: ProjectId, vector_store_id: VectorStoreId, batch_id: str) -> None:
        """Go on with what broke off: the joining of its files, or their cancellation."""
        try:
            row = self._row(project, vector_store_id, batch_id)
            if StoredBatch.model_validate(row.body).cancelled:
                self._cancel_files(project, vector_store_id, batch_id)
                with suppress(ConflictError):  # another has finished it
                    self.table.commit(Replace(row, row.changed(row.body)))
            else:
                self.attacher.resume(project, vector_store_id, batch_id)
        except NotFoundError:
            return  # its store is gone, and is being purged

    def _cancel_files(
        self, project: ProjectId, vector_store_id: VectorStoreId, batch_id: str
    ) -> None:
        partition = keys.in_store(project, vector_store_id)
        view = keys.status_index(batch_id, "in_progress")
        while pointers := self.table.query(partition, view, limit=_PAGE):
            found = [pointer.body["attachment"] for pointer in pointers]
            places = [keys.store_file(project, vector_store_id, one) for one in found]
            rows = [row for row in self.table.get(*places) if row]
            self.cancellation.cancel([StoreFile.of(project, row) for row in rows])

    def _row(self, project: ProjectId, vector_store_id: VectorStoreId, batch_id: str) -> Row:
        head, row = self.table.get(
            keys.vector_store(project, check_id(vector_store_id, VECTOR_STORE, "vector_store_id")),
            keys.file_batch(project, vector_store_id, check_id(batch_id, FILE_BATCH, "batch_id")),
        )
        if head is None:
            raise no_such("vector store", vector_store_id)
        if row is None:
            raise no_such("vector store file batch", batch_id)
        return row
