"""Removing what hung on a deleted vector store, or what the index holds of an expired one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from assistants.domain.ids import ProjectId, VectorStoreId
from assistants.domain.vector_store import StoreHead
from assistants.ports.table import ConflictError, Delete, Replace, Row, Table, Write
from assistants.services.storage import keys
from assistants.services.vector_stores.file_cancellation import FileCancellation
from assistants.services.vector_stores.file_repository import StoreFile
from assistants.services.vector_stores.index_deletions import IndexDeletions

PAGE = 500  # rows looked at before the work is handed to the queue again
_GROUP = 33  # files in one transaction, of 3 rows each


@dataclass(frozen=True)
class VectorStorePurge:
    table: Table
    cancellation: FileCancellation
    index_deletions: IndexDeletions

    def work(self, project: ProjectId, vector_store_id: VectorStoreId) -> bool:
        """Do one page. Repeating it, or doing it twice at once, removes nothing else.

        True when nothing is left to be done.
        """
        [row] = self.table.get(keys.vector_store(project, vector_store_id))
        if row is None:
            return self._clear(project, vector_store_id)
        if StoreHead.model_validate(row.body).expired:
            return self._empty(project, row)
        return True

    def _clear(self, project: ProjectId, vector_store_id: VectorStoreId) -> bool:
        """The store is gone: nothing joins it any more, and its files leave it."""
        partition = keys.in_store(project, vector_store_id)
        rows = self.table.query(partition, keys.STORE_FILES, limit=PAGE)
        files = [StoreFile.of(project, row) for row in rows]
        self._remove(files, gone=True)
        return not files and self.table.clear(partition, limit=PAGE)

    def _empty(self, project: ProjectId, head: Row) -> bool:
        """The store has expired: its files stay listed, and nothing of them is in the index."""
        partition, after = head.key.partition, None
        while rows := self.table.query(partition, keys.STORE_FILES, after=after, limit=PAGE):
            files = [StoreFile.of(project, row) for row in rows]
            waiting = [file for file in files if file.file.status == "in_progress"]
            indexed = [file for file in files if file not in waiting and file.chunks is not None]
            if waiting or indexed:
                self.cancellation.cancel(waiting)
                self._remove(indexed, gone=False)
                return False
            after = rows[-1].key.sort
        try:
            self.table.commit(Replace(head, head.changed(head.body)))
        except ConflictError:
            return False
        return True

    def _remove(self, files: Sequence[StoreFile], *, gone: bool) -> None:
        for start in range(0, len(files), _GROUP):
            group = files[start : start + _GROUP]
            writes = [write for file in group for write in self._writes(file, gone=gone)]
            try:
                self.table.commit(*writes)
            except ConflictError:
                continue  # one of them has changed: the next page begins with them
            attachments = [file.attachment for file in group]
            self.index_deletions.request(group[0].project, group[0].vector_store_id, *attachments)

    def _writes(self, file: StoreFile, *, gone: bool) -> Iterator[Write]:
        yield from self.index_deletions.note(file.project, file.file)
        if gone:
            yield Delete(file.row.key, revision=file.row.revision, expected=True)
            yield Delete(keys.store_of_file(file.project, file.file.id, file.vector_store_id))
        else:
            bare = file.file.model_copy(update={"chunks": None})
            yield Replace(file.row, file.row.changed(bare.model_dump(mode="json")))
