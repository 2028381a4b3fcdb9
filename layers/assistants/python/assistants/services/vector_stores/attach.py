"""Attach files to a vector store: a few in each transaction, and each file at most once."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from assistants.domain.chunking import decided
from assistants.domain.errors import no_such
from assistants.domain.file import StoredFile
from assistants.domain.ids import EntryRef, FileId, ProjectId, VectorStoreId, new_order
from assistants.domain.vector_store_file import StoredVectorStoreFile, VectorStoreFileCreate
from assistants.ports.clock import Clock
from assistants.ports.index_queue import IndexQueue
from assistants.ports.table import ConflictError, Create, Replace, Require, Row, Save, Table, Write
from assistants.services.files.service import Files
from assistants.services.storage import keys
from assistants.services.vector_stores.detach import FileDetacher
from assistants.services.vector_stores.file_counts import CountChanges, ShardedCounters
from assistants.services.vector_stores.file_repository import (
    RECHECK_SECONDS,
    StoreFile,
    count_changes,
    status_index_keys,
    status_index_writes,
)

GROUP = 13  # files per transaction, of 7 rows each; DynamoDB allows 100
_PAGE = 7 * GROUP  # files that are read together


@dataclass
class _Group:
    """The effects of one transaction."""

    files: list[StoredVectorStoreFile] = field(default_factory=list)
    writes: list[Write] = field(default_factory=list)
    counts: dict[str | None, Counter[str]] = field(default_factory=dict)

    def count(self, changes: CountChanges) -> None:
        for batch_id, change in changes.items():
            self.counts.setdefault(batch_id, Counter()).update(change)


@dataclass(frozen=True)
class _Known:
    """The Files to attach that exist, and those of them that are in the store already."""

    files: dict[FileId, StoredFile]
    present: dict[str, StoreFile]


@dataclass(frozen=True)
class FileAttacher:
    table: Table
    files: Files
    counters: ShardedCounters
    detacher: FileDetacher
    queue: IndexQueue | None
    clock: Clock

    def attach(
        self,
        project: ProjectId,
        vector_store_id: VectorStoreId,
        entries: Sequence[VectorStoreFileCreate],
        batch_id: str | None = None,
    ) -> list[StoredVectorStoreFile]:
        """Attach files and return them as they are in the store now.

        Leave a file that is there already as it is if its settings are the same and it has not
        failed; otherwise detach it and attach it again. Leave out Files that no longer exist.

        Raises `NotFoundError` if the store does not exist.
        """
        attached: list[StoredVectorStoreFile] = []
        for page in _pieces(entries, _PAGE):
            known = self._read(project, vector_store_id, page)
            files: list[StoredVectorStoreFile] = []
            for group in _pieces(page, GROUP):
                files += self._attach_group(project, vector_store_id, group, batch_id, known)
            waiting = [file.entry_id for file in files if file.status == "in_progress"]
            if self.queue is not None and waiting:
                refs = (EntryRef(project, vector_store_id, entry_id) for entry_id in waiting)
                self.queue.send(*refs)
            attached += files
        return attached

    def _attach_group(
        self,
        project: ProjectId,
        vector_store_id: VectorStoreId,
        entries: Sequence[VectorStoreFileCreate],
        batch_id: str | None,
        known: _Known,
    ) -> list[StoredVectorStoreFile]:
        while True:
            group = _Group()
            for entry in entries:
                self._attach_one(group, project, vector_store_id, entry, batch_id, known)
            increments = self.counters.increments(project, vector_store_id, group.counts)
            head = Require(keys.vector_store(project, vector_store_id))
            try:
                if group.writes:
                    self.table.commit(head, *group.writes, *increments)
            except ConflictError as conflict:
                if 0 in conflict.failed:
                    raise no_such("vector store", vector_store_id) from conflict
                known = self._read(project, vector_store_id, entries)
                continue
            return group.files

    def _attach_one(
        self,
        group: _Group,
        project: ProjectId,
        vector_store_id: VectorStoreId,
        entry: VectorStoreFileCreate,
        batch_id: str | None,
        known: _Known,
    ) -> None:
        present = known.present.get(entry.file_id)
        if present is not None and _matches(present.file, entry):
            self._add_to_batch(group, present, batch_id)
            return
        if present is not None:
            self.detacher.detach(present.ref)
        if (file := known.files.get(entry.file_id)) is not None:
            new = self._new_file(vector_store_id, file, entry, batch_id)
            group.files.append(new)
            group.writes += [Require(keys.file(project, file.id)), *_creation(project, new)]
            group.count(count_changes(None, new))

    def _new_file(
        self,
        vector_store_id: VectorStoreId,
        file: StoredFile,
        entry: VectorStoreFileCreate,
        batch_id: str | None,
    ) -> StoredVectorStoreFile:
        return StoredVectorStoreFile(
            id=file.id,
            created_at=int(self.clock.time()),
            vector_store_id=vector_store_id,
            chunking_strategy=decided(entry.chunking_strategy),
            attributes=entry.attributes or {},
            entry_id=new_order(),
            filename=file.filename,
            batches=[batch_id] if batch_id else [],
        )

    def _add_to_batch(self, group: _Group, present: StoreFile, batch_id: str | None) -> None:
        if batch_id is None or batch_id in present.file.batches:
            group.files.append(present.file)
            return
        batches = [*present.file.batches, batch_id]
        changed = present.file.model_copy(update={"batches": batches})
        row = present.row
        body = changed.model_dump(mode="json")
        group.files.append(changed)
        group.writes.append(Replace(row, row.changed(body, due_at=row.due_at)))
        group.writes += status_index_writes(present.project, present.file, changed)
        group.count(count_changes(present.file, changed))

    def _read(
        self,
        project: ProjectId,
        vector_store_id: VectorStoreId,
        entries: Sequence[VectorStoreFileCreate],
    ) -> _Known:
        ids = [entry.file_id for entry in entries]
        members = self.table.get(*(keys.membership(project, vector_store_id, id_) for id_ in ids))
        refs = [
            EntryRef(project, vector_store_id, member.body["entry_id"])
            for member in members
            if member is not None
        ]
        rows = self.table.get(*map(keys.store_file, refs))
        present = [StoreFile.from_row(project, row) for row in rows if row is not None]
        return _Known(self.files.find(project, ids), {one.file.id: one for one in present})


def _matches(file: StoredVectorStoreFile, entry: VectorStoreFileCreate) -> bool:
    """Return whether a file can stay as it is. Members that the entry does not set match any."""
    return (
        file.status in ("in_progress", "completed")
        and entry.attributes in (None, file.attributes)
        and (
            entry.chunking_strategy is None
            or decided(entry.chunking_strategy) == file.chunking_strategy
        )
    )


def _creation(project: ProjectId, file: StoredVectorStoreFile) -> Iterator[Write]:
    """Yield the writes that create a file in a store: its row and the pointers to it."""
    pointer = {"store": file.vector_store_id, "entry_id": file.entry_id}
    body = file.model_dump(mode="json")
    key = keys.store_file(EntryRef(project, file.vector_store_id, file.entry_id))
    yield Create(Row(key, body, due_at=file.created_at + RECHECK_SECONDS))
    yield Create(Row(keys.membership(project, file.vector_store_id, file.id), pointer))
    yield Save(Row(keys.store_of_file(project, file.id, file.vector_store_id), pointer))
    for index_key in status_index_keys(project, file):
        yield Create(Row(index_key, {"entry_id": file.entry_id}))


def _pieces(
    entries: Sequence[VectorStoreFileCreate], size: int
) -> Iterator[Sequence[VectorStoreFileCreate]]:
    return (entries[start : start + size] for start in range(0, len(entries), size))
