"""The rows of a vector store's files: read, and taken from `in_progress` to their end.

Each change of a file is one transaction with the pointers by which lists find it, the counts of its
store and batches and, unless it ends well, the note that has its chunks removed.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from assistants.domain.ids import ProjectId, VectorStoreId
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
from assistants.services.vector_stores.file_counts import USAGE, ShardedCounters
from assistants.services.vector_stores.index_deletions import IndexDeletions

RECHECK_SECONDS = 3600  # a file that is not indexed by then is asked for again
SHOWN_SECONDS = 300  # by then an index shows what was written to it
PATIENCE_SECONDS = 24 * 3600  # and has failed after so long


@dataclass(frozen=True)
class StoreFile:
    """A file of a store, as its row was read."""

    project: ProjectId
    file: StoredVectorStoreFile
    row: Row

    @classmethod
    def of(cls, project: ProjectId, row: Row) -> "StoreFile":
        return cls(project, StoredVectorStoreFile.model_validate(row.body), row)

    @property
    def vector_store_id(self) -> VectorStoreId:
        return self.file.vector_store_id

    @property
    def attachment(self) -> str:
        return self.file.attachment

    @property
    def filename(self) -> str:
        return self.file.filename

    @property
    def chunks(self) -> int | None:
        """How many chunks the index may hold of it; None before `plan`."""
        return self.file.chunks

    @property
    def document(self) -> Document:
        file = self.file
        return Document(
            self.project,
            file.vector_store_id,
            file.id,
            file.attachment,
            file.filename,
            file.attributes or {},
        )


def attribute_update_note(store_file: StoreFile, revision: str, now: float) -> Save:
    """Have the index asked later whether all chunks carry the attributes of this revision."""
    key = keys.attribute_update(
        store_file.project, store_file.vector_store_id, store_file.attachment
    )
    row = Row(key, {"since": int(now)}, revision=revision, due_at=int(now) + SHOWN_SECONDS)
    return Save(row)


@dataclass(frozen=True)
class StoreFileRepository:
    table: Table
    counters: ShardedCounters
    index_deletions: IndexDeletions
    index: Callable[[], SearchIndex]
    clock: Clock

    def load(
        self, project: ProjectId, vector_store_id: VectorStoreId, attachment: str
    ) -> StoreFile | None:
        """None when it is detached, or its store deleted or expired."""
        head, row = self.table.get(
            keys.vector_store(project, vector_store_id),
            keys.store_file(project, vector_store_id, attachment),
        )
        if head is None or row is None:
            return None
        lapsed = StoreHead.model_validate(head.body).lapsed(self.clock.time())
        return None if lapsed else StoreFile.of(project, row)

    def plan(self, store_file: StoreFile, chunks: int) -> bool:
        """Note how many chunks will be put into the index, before the first is. False if the file
        is not in progress any more: then none may be.
        """
        while (now := self._in_progress(store_file)) is not None:
            planned = now.file.model_copy(update={"chunks": max(chunks, now.chunks or 0)})
            row = now.row.changed(planned.model_dump(mode="json"), due_at=now.row.due_at)
            try:
                self.table.commit(Replace(now.row, row))
            except ConflictError:
                continue
            return True
        return False

    def complete(self, store_file: StoreFile, usage_bytes: int) -> bool:
        """The end of a file that can be searched. False if it is not in progress any more: what is
        in the index of it is being removed.

        Its attributes reach all chunks first: those of an earlier try, and of another worker, may
        have former ones. Where the index does not show that they have, it is asked again later.
        """
        known, shown = None, True
        changes = {"status": "completed", "usage_bytes": usage_bytes}
        while (now := self._in_progress(store_file)) is not None:
            if now.document.attributes != known:
                known = now.document.attributes
                shown = self.index().set_attributes(now.document, now.chunks or 0)
            revision = now.row.changed({}).revision
            notes = () if shown else (attribute_update_note(now, revision, self.clock.time()),)
            if self._end(now, changes, *notes):
                return True
        return False

    def fail(self, store_file: StoreFile, code: ErrorCode, message: str) -> bool:
        """The end of a file that cannot be searched. What may be in the index of it is removed.
        False if it is not in progress any more.
        """
        error = IndexingError(code=code, message=message)
        changes = {"status": "failed", "last_error": error, "chunks": None}
        while (now := self._in_progress(store_file)) is not None:
            if self._end(now, changes, *self.index_deletions.note(now.project, now.file)):
                self.index_deletions.request(now.project, now.vector_store_id, now.attachment)
                return True
        return False

    def recheck(self, project: ProjectId, key: Key) -> None:
        """Ask again for a file that is long in progress, and give up after a day."""
        [row] = self.table.get(key)
        if row is None or row.due_at is None or row.due_at > self.clock.time():
            return
        found = StoreFile.of(project, row)
        if found.file.created_at + PATIENCE_SECONDS <= self.clock.time():
            self.fail(found, "server_error", "The file could not be indexed within a day.")
            return
        due_at = int(self.clock.time()) + RECHECK_SECONDS
        try:
            self.table.commit(Replace(row, row.changed(row.body, due_at=due_at)))
        except ConflictError:
            return  # it goes on
        self.index_deletions.request(project, found.vector_store_id, found.attachment)

    def _in_progress(self, store_file: StoreFile) -> StoreFile | None:
        """The file as it is now."""
        [row] = self.table.get(store_file.row.key)
        if row is None:
            return None
        now = StoreFile.of(store_file.project, row)
        return now if now.file.status == "in_progress" else None

    def _end(self, now: StoreFile, changes: dict[str, Any], *others: Write) -> bool:
        """False when another was faster, with this file or with a count."""
        change = changing(now, changes)
        counted = self.counters.adding(now.project, now.vector_store_id, change.counts)
        try:
            self.table.commit(*change.writes, *counted, *others)
        except ConflictError:
            return False
        return True


@dataclass(frozen=True)
class FileChange:
    """The writes that change a file, and what they add to the counts of its store and batches."""

    writes: list[Write]
    counts: dict[str | None, Counter[str]]


def changing(now: StoreFile, changes: dict[str, Any]) -> FileChange:
    changed = now.file.model_copy(update=changes)
    replaced = Replace(now.row, now.row.changed(changed.model_dump(mode="json")))
    listed = relisted(now.project, now.file, changed)
    return FileChange([replaced, *listed], difference(now.file, changed))


def views(project: ProjectId, file: StoredVectorStoreFile) -> list[Key]:
    """The pointers by which lists find a file, beside its own row."""
    prefixes = [keys.status_index(None, file.status)]
    for batch_id in file.batches:
        prefixes += [keys.status_index(batch_id, None), keys.status_index(batch_id, file.status)]
    partition = keys.in_store(project, file.vector_store_id)
    return [Key(partition, prefix + file.attachment) for prefix in prefixes]


def relisted(
    project: ProjectId, before: StoredVectorStoreFile, after: StoredVectorStoreFile
) -> Iterator[Write]:
    old, new = views(project, before), views(project, after)
    yield from (Delete(key) for key in old if key not in new)
    pointer = {"attachment": after.attachment}
    yield from (Create(Row(key, pointer)) for key in new if key not in old)


def difference(
    before: StoredVectorStoreFile | None, after: StoredVectorStoreFile | None
) -> dict[str | None, Counter[str]]:
    """What the coming, change or going of a file adds to the counts of its store (None) and of its
    batches.
    """
    change: dict[str | None, Counter[str]] = {}
    for file, sign in ((before, -1), (after, 1)):
        if file is not None:
            change.setdefault(None, Counter()).update({file.status: sign})
            change[None].update({USAGE: sign * file.usage_bytes})
            for batch_id in file.batches:
                change.setdefault(batch_id, Counter()).update({file.status: sign})
    return change
