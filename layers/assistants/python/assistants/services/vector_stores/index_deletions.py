"""Taking files out of the index: a note in the table for each, until nothing of it is left there.

The note is committed with what makes the chunks superfluous, so they are removed even when the
message that asks for it is lost. A worker that was indexing the file just then may put chunks there
afterwards; so the note stays until no such worker can be alive, and the removal is repeated.
"""

from dataclasses import dataclass, replace

from assistants.domain.ids import ProjectId, VectorStoreId
from assistants.domain.retrieval.passage import Document
from assistants.domain.vector_store_file import StoredVectorStoreFile
from assistants.ports.clock import Clock
from assistants.ports.index_queue import IndexQueue
from assistants.ports.table import ConflictError, Delete, Key, Replace, Row, Save, Table, Write
from assistants.services.storage import keys

LONGEST_WORK_SECONDS = 960  # what a Lambda function may take at most, and a minute
_RECHECK_SECONDS = 300
_AGAIN_SECONDS = 900  # a message is tried for half as long


@dataclass(frozen=True)
class IndexDeletion:
    """The chunks 0..chunks-1 of `document`, and its text, are to be removed."""

    document: Document
    chunks: int
    row: Row


@dataclass(frozen=True)
class IndexDeletions:
    table: Table
    queue: IndexQueue | None  # none where there is no index, and nothing to be removed from it
    clock: Clock

    def note(self, project: ProjectId, file: StoredVectorStoreFile) -> list[Save]:
        """What must be committed with the end of a file as it is now; then call `request`.

        Nothing, where nothing of it can be in the index.
        """
        if file.status != "in_progress" and file.chunks is None:
            return []
        now = int(self.clock.time())
        body = {
            "file_id": file.id,
            "chunks": file.chunks or 0,
            "busy_until": now + LONGEST_WORK_SECONDS if file.status == "in_progress" else 0,
        }
        key = keys.index_deletion(project, file.vector_store_id, file.attachment)
        return [Save(Row(key, body, due_at=now + _RECHECK_SECONDS))]

    def request(
        self, project: ProjectId, vector_store_id: VectorStoreId, *attachments: str
    ) -> None:
        if attachments and self.queue is not None:
            self.queue.send(project, vector_store_id, *attachments)

    def find(
        self, project: ProjectId, vector_store_id: VectorStoreId, attachment: str
    ) -> IndexDeletion | None:
        [row] = self.table.get(keys.index_deletion(project, vector_store_id, attachment))
        if row is None:
            return None
        document = Document(project, vector_store_id, row.body["file_id"], attachment)
        return IndexDeletion(document, row.body["chunks"], row)

    def done(self, removal: IndexDeletion, *, unsettled: bool) -> None:
        """Say that nothing of it is to be found. It is removed once more if a worker may still be
        at it, or the index may hold what it does not show yet (`unsettled`).
        """
        now, row, document = self.clock.time(), removal.row, removal.document
        ids = document.project, document.vector_store_id, document.attachment
        busy_until = int(now) + LONGEST_WORK_SECONDS if unsettled else row.body["busy_until"]
        later = row.changed({**row.body, "busy_until": busy_until}, due_at=busy_until)
        writes: list[Write] = [Replace(row, later) if busy_until > now else Delete(row.key)]
        if unsettled:
            writes.append(Delete(keys.attribute_update(*ids)))
        try:
            self.table.commit(*writes)
        except ConflictError:
            return  # another has said so

    def look(self, project: ProjectId, vector_store_id: VectorStoreId, key: Key) -> None:
        """Have a note of work on the index worked on, that is overdue. It is put off first: work
        that cannot be done now must not come before all else that is due, minute after minute.
        """
        [note] = self.table.get(key)
        now = int(self.clock.time())
        if note is None or note.due_at is None or note.due_at > now:
            return
        try:
            self.table.commit(Replace(note, replace(note, due_at=now + _AGAIN_SECONDS)))
        except ConflictError:
            return  # it goes on
        self.request(project, vector_store_id, key.sort)
