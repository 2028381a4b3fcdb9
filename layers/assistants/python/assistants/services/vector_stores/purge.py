"""Remove the rows of a deleted vector store, or the chunks of an expired one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from assistants.domain.ids import ProjectId, VectorStoreId
from assistants.domain.vector_store import StoreHead
from assistants.ports.table import ConflictError, Delete, Replace, Row, Table, Write
from assistants.services.storage import keys
from assistants.services.vector_stores.file_cancellation import FileCancellation
from assistants.services.vector_stores.file_repository import StoreFile
from assistants.services.vector_stores.index_deletions import IndexDeletions

PAGE = 500  # rows that are read before the rest is handed to the queue again
_GROUP = 33  # files per transaction, of 3 rows each


@dataclass(frozen=True)
class VectorStorePurge:
    table: Table
    cancellation: FileCancellation
    index_deletions: IndexDeletions

    def purge_page(self, project: ProjectId, vector_store_id: VectorStoreId) -> bool:
        """Purge one page of a store. It is safe to repeat this, even concurrently.

        Return True when nothing is left to purge.
        """
        [row] = self.table.get(keys.vector_store(project, vector_store_id))
        if row is None:
            return self._purge_deleted(project, vector_store_id)
        if StoreHead.model_validate(row.body).expired:
            return self._purge_expired(project, row)
        return True

    def _purge_deleted(self, project: ProjectId, vector_store_id: VectorStoreId) -> bool:
        """Remove the files and all other rows; no more files can be attached."""
        partition = keys.in_store(project, vector_store_id)
        rows = self.table.query(partition, keys.STORE_FILES, limit=PAGE)
        files = [StoreFile.from_row(project, row) for row in rows]
        self._remove(files, keep_rows=False)
        return not files and self.table.clear(partition, limit=PAGE)

    def _purge_expired(self, project: ProjectId, head: Row) -> bool:
        """Remove the files from the index, and keep them in lists."""
        partition, after = head.key.partition, None
        while rows := self.table.query(partition, keys.STORE_FILES, after=after, limit=PAGE):
            files = [StoreFile.from_row(project, row) for row in rows]
            waiting = [file for file in files if file.file.status == "in_progress"]
            indexed = [file for file in files if file not in waiting and file.chunks is not None]
            if waiting or indexed:
                self.cancellation.cancel(waiting)
                self._remove(indexed, keep_rows=True)
                return False
            after = rows[-1].key.sort
        try:
            self.table.commit(Replace(head, head.changed(head.body)))
        except ConflictError:
            return False
        return True

    def _remove(self, files: Sequence[StoreFile], *, keep_rows: bool) -> None:
        for start in range(0, len(files), _GROUP):
            group = files[start : start + _GROUP]
            writes = [write for file in group for write in self._writes(file, keep_rows=keep_rows)]
            try:
                self.table.commit(*writes)
            except ConflictError:
                continue  # one of the files has changed: the next page includes them again
            self.index_deletions.request(*(file.ref for file in group))

    def _writes(self, file: StoreFile, *, keep_rows: bool) -> Iterator[Write]:
        yield from self.index_deletions.note(file.project, file.file)
        if keep_rows:
            unindexed = file.file.model_copy(update={"chunks": None})
            yield Replace(file.row, file.row.changed(unindexed.model_dump(mode="json")))
        else:
            yield Delete(file.row.key, revision=file.row.revision, expected=True)
            store_id = file.file.vector_store_id
            yield Delete(keys.store_of_file(file.project, file.file.id, store_id))
