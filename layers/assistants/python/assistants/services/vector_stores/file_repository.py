"""The rows of a vector store's files: read them, and take them from `in_progress` to their end.

Each change of a file is one transaction with the pointers by which lists find it and the counts of
its store and batches. Unless the file is completed, it includes the note that has its chunks
deleted.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from assistants.domain.ids import EntryRef, ProjectId
from assistants.domain.retrieval.document_text import ErrorCode
from assistants.domain.retrieval.passage import Document
from assistants.domain.vector_store import StoreHead
from assistants.domain.vector_store_file import IndexingError, StoredVectorStoreFile
from assistants.ports.clock import Clock
from assistants.ports.search import SearchIndex
from assistants.ports.table import (
    ConflictError,
    Create,
    Delete,
    Key,
    Replace,
    Row,
    Save,
    Table,
    Write,
)
from assistants.services.storage import keys
from assistants.services.vector_stores.file_counts import USAGE, CountChanges, ShardedCounters
from assistants.services.vector_stores.index_deletions import IndexDeletions

SETTLE_SECONDS = 300  # until every write to the index is visible
RECHECK_SECONDS = 3600  # until a file that is still in progress is requested again
PATIENCE_SECONDS = 24 * 3600  # until such a file fails

# Members of a file whose chunks and text are deleted.
NOTHING_KEPT = {"chunks": None, "has_text": False, "usage_bytes": 0}


@dataclass(frozen=True)
class StoreFile:
    """A file of a store, as its row was read."""

    project: ProjectId
    file: StoredVectorStoreFile
    row: Row

    @classmethod
    def from_row(cls, project: ProjectId, row: Row) -> "StoreFile":
        return cls(project, StoredVectorStoreFile.model_validate(row.body), row)

    @property
    def ref(self) -> EntryRef:
        return EntryRef(self.project, self.file.vector_store_id, self.file.entry_id)

    @property
    def filename(self) -> str:
        return self.file.filename

    @property
    def chunks(self) -> int | None:
        """Return how many chunks the index may hold of it, or None before `plan`."""
        return self.file.chunks

    @property
    def document(self) -> Document:
        file = self.file
        return Document(
            self.project,
            file.vector_store_id,
            file.id,
            file.entry_id,
            file.filename,
            file.attributes or {},
        )


def attribute_update_note(ref: EntryRef, revision: str, now: float) -> Save:
    """Have the index checked later: all chunks must have the attributes of this revision."""
    body, due_at = {"since": int(now)}, int(now) + SETTLE_SECONDS
    return Save(Row(keys.attribute_update(ref), body, revision=revision, due_at=due_at))


@dataclass(frozen=True)
class StoreFileRepository:
    table: Table
    counters: ShardedCounters
    index_deletions: IndexDeletions
    index: Callable[[], SearchIndex]
    clock: Clock

    def load(self, ref: EntryRef) -> StoreFile | None:
        """Return the file, or None if it is detached, or its store deleted or expired."""
        head, row = self.table.get(
            keys.vector_store(ref.project, ref.vector_store_id), keys.store_file(ref)
        )
        if head is None or row is None:
            return None
        expired = StoreHead.model_validate(head.body).is_expired(self.clock.time())
        return None if expired else StoreFile.from_row(ref.project, row)

    def plan(self, store_file: StoreFile, chunks: int) -> bool:
        """Record how many chunks will be put into the index, before the first one is.

        Return False if the file is no longer in progress: then none may be put there.
        """
        while (now := self._in_progress(store_file)) is not None:
            planned = now.file.model_copy(
                update={"chunks": max(chunks, now.chunks or 0), "may_have_gaps": False}
            )
            row = now.row.changed(planned.model_dump(mode="json"), due_at=now.row.due_at)
            try:
                self.table.commit(Replace(now.row, row))
            except ConflictError:
                continue
            return True
        return False

    def complete(self, store_file: StoreFile, usage_bytes: int) -> bool:
        """Mark a file as completed, which makes it searchable.

        Give all chunks its current attributes first: those of an earlier attempt, or of another
        worker, may have former ones. Have the index checked later if that is not settled. Return
        False if the file is no longer in progress: then its chunks are being deleted.
        """
        known, settled = None, True
        changes = {"status": "completed", "usage_bytes": usage_bytes, "has_text": True}
        while (now := self._in_progress(store_file)) is not None:
            if now.document.attributes != known:
                known = now.document.attributes
                settled = self.index().set_attributes(now.document, now.chunks or 0)
            revision = now.row.changed({}).revision
            notes = (
                () if settled else (attribute_update_note(now.ref, revision, self.clock.time()),)
            )
            if self._end(now, changes, *notes):
                return True
        return False

    def fail(self, store_file: StoreFile, code: ErrorCode, message: str) -> bool:
        """Mark a file as failed, and have any chunks of it deleted from the index.

        Return False if the file is no longer in progress.
        """
        error = IndexingError(code=code, message=message)
        changes = {"status": "failed", "last_error": error, **NOTHING_KEPT}
        while (now := self._in_progress(store_file)) is not None:
            if self._end(now, changes, *self.index_deletions.note(now.project, now.file)):
                self.index_deletions.request(now.ref)
                return True
        return False

    def recheck(self, project: ProjectId, key: Key) -> None:
        """Request a file again that is in progress for long. Let it fail after a day."""
        [row] = self.table.get(key)
        if row is None or row.due_at is None or row.due_at > self.clock.time():
            return
        found = StoreFile.from_row(project, row)
        if found.file.queued_at + PATIENCE_SECONDS <= self.clock.time():
            self.fail(found, "server_error", "The file could not be indexed within a day.")
            return
        due_at = int(self.clock.time()) + RECHECK_SECONDS
        try:
            self.table.commit(Replace(row, row.changed(row.body, due_at=due_at)))
        except ConflictError:
            return  # a worker is making progress
        self.index_deletions.request(found.ref)

    def _in_progress(self, store_file: StoreFile) -> StoreFile | None:
        """Read the file again. Return None if it is no longer in progress."""
        [row] = self.table.get(store_file.row.key)
        if row is None:
            return None
        now = StoreFile.from_row(store_file.project, row)
        return now if now.file.status == "in_progress" else None

    def _end(self, now: StoreFile, changes: dict[str, Any], *others: Write) -> bool:
        """Commit the changes. Return False if another writer has changed the file, or a counter."""
        change = prepare_change(now, changes)
        ref = now.ref
        increments = self.counters.increments(ref.project, ref.vector_store_id, change.counts)
        try:
            self.table.commit(*change.writes, *increments, *others)
        except ConflictError:
            return False
        return True


@dataclass(frozen=True)
class FileChange:
    """The writes that change a file, and its effect on the counts of its store and batches."""

    writes: list[Write]
    counts: CountChanges


def prepare_change(
    now: StoreFile, changes: dict[str, Any], *, due_at: int | None = None
) -> FileChange:
    changed = now.file.model_copy(update=changes)
    row = now.row.changed(changed.model_dump(mode="json"), due_at=due_at)
    replaced = Replace(now.row, row)
    pointers = status_index_writes(now.project, now.file, changed)
    return FileChange([replaced, *pointers], count_changes(now.file, changed))


def status_index_keys(project: ProjectId, file: StoredVectorStoreFile) -> list[Key]:
    """Return the keys of the pointers by which lists of a status or a batch find a file."""
    prefixes = [keys.status_index(None, file.status)]
    for batch_id in file.batches:
        prefixes += [keys.status_index(batch_id, None), keys.status_index(batch_id, file.status)]
    partition = keys.in_store(project, file.vector_store_id)
    return [Key(partition, prefix + file.entry_id) for prefix in prefixes]


def status_index_writes(
    project: ProjectId, before: StoredVectorStoreFile, after: StoredVectorStoreFile
) -> Iterator[Write]:
    """Yield the writes that bring a file's pointers up to date."""
    old, new = status_index_keys(project, before), status_index_keys(project, after)
    yield from (Delete(key) for key in old if key not in new)
    pointer = {"entry_id": after.entry_id}
    yield from (Create(Row(key, pointer)) for key in new if key not in old)


def count_changes(
    before: StoredVectorStoreFile | None, after: StoredVectorStoreFile | None
) -> CountChanges:
    """Return what attaching, changing or detaching a file adds to the counts."""
    changes: dict[str | None, Counter[str]] = {}
    for file, sign in ((before, -1), (after, 1)):
        if file is not None:
            changes.setdefault(None, Counter()).update({file.status: sign})
            changes[None].update({USAGE: sign * file.usage_bytes})
            for batch_id in file.batches:
                changes.setdefault(batch_id, Counter()).update({file.status: sign})
    return changes
