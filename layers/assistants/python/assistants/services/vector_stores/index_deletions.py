"""Delete the chunks of files from the index.

A note in the table marks the work until no chunk is left. It is committed with the change that
makes the chunks obsolete, so that they are deleted even if the message that asks for it is lost. A
worker that was indexing the file at that moment may still put chunks there afterwards; so the note
is kept until no such worker can be running, and the deletion is repeated.
"""

from dataclasses import dataclass, replace

from assistants.domain.ids import EntryRef, ProjectId
from assistants.domain.retrieval.passage import Document
from assistants.domain.vector_store_file import StoredVectorStoreFile
from assistants.ports.clock import Clock
from assistants.ports.index_queue import IndexQueue
from assistants.ports.table import ConflictError, Delete, Key, Replace, Row, Save, Table, Write
from assistants.services.storage import keys

LONGEST_WORK_SECONDS = 960  # the longest that a Lambda function can run, and a minute
_RECHECK_SECONDS = 300
_RETRY_SECONDS = 900  # about twice as long as a message is retried


@dataclass(frozen=True)
class IndexDeletion:
    """Chunks 0..chunks-1 of `document`, and its text, to be deleted."""

    document: Document
    chunks: int
    row: Row


@dataclass(frozen=True)
class IndexDeletions:
    table: Table
    queue: IndexQueue | None  # None without an index, from which nothing has to be deleted
    clock: Clock

    def note(self, project: ProjectId, file: StoredVectorStoreFile) -> list[Save]:
        """Return the writes to commit with the end of a file in its current state. Then call
        `request`. Return no writes if the index cannot hold any of its chunks.
        """
        if file.status != "in_progress" and file.chunks is None:
            return []
        now = int(self.clock.time())
        body = {
            "file_id": file.id,
            "chunks": file.chunks or 0,
            "busy_until": now + LONGEST_WORK_SECONDS if file.status == "in_progress" else 0,
        }
        key = keys.index_deletion(EntryRef(project, file.vector_store_id, file.entry_id))
        return [Save(Row(key, body, due_at=now + _RECHECK_SECONDS))]

    def request(self, *entries: EntryRef) -> None:
        """Have a worker process these entries."""
        if entries and self.queue is not None:
            self.queue.send(*entries)

    def find(self, ref: EntryRef) -> IndexDeletion | None:
        [row] = self.table.get(keys.index_deletion(ref))
        if row is None:
            return None
        document = Document(ref.project, ref.vector_store_id, row.body["file_id"], ref.entry_id)
        return IndexDeletion(document, row.body["chunks"], row)

    def finish(self, deletion: IndexDeletion, ref: EntryRef, *, unsettled: bool) -> None:
        """Record that the chunks are deleted. Have it repeated if a worker may still add some, or
        if some may not be visible yet (`unsettled`).
        """
        now, row = self.clock.time(), deletion.row
        busy_until = int(now) + LONGEST_WORK_SECONDS if unsettled else row.body["busy_until"]
        later = row.changed({**row.body, "busy_until": busy_until}, due_at=busy_until)
        writes: list[Write] = [Replace(row, later) if busy_until > now else Delete(row.key)]
        if unsettled:
            writes.append(Delete(keys.attribute_update(ref)))
        try:
            self.table.commit(*writes)
        except ConflictError:
            return  # another worker has recorded it

    def recheck(self, ref: EntryRef, key: Key) -> None:
        """Request the work of an overdue note again. `key` is the note's, which may be one of a
        deletion or of an attribute update.

        Postpone the note first: work that keeps failing must not crowd out everything else that is
        due, minute after minute.
        """
        [note] = self.table.get(key)
        now = int(self.clock.time())
        if note is None or note.due_at is None or note.due_at > now:
            return
        try:
            self.table.commit(Replace(note, replace(note, due_at=now + _RETRY_SECONDS)))
        except ConflictError:
            return  # a worker has processed it
        self.request(ref)
