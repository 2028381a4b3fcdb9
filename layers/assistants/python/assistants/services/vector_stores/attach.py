"""Files join vector stores: a few in each transaction, and each of them once."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from assistants.domain.chunking import decided
from assistants.domain.errors import no_such
from assistants.domain.file import StoredFile
from assistants.domain.ids import FileId, ProjectId, VectorStoreId, new_order
from assistants.domain.vector_store_file import StoredVectorStoreFile, VectorStoreFileCreate
from assistants.ports.clock import Clock
from assistants.ports.index_queue import IndexQueue
from assistants.ports.table import ConflictError, Create, Replace, Require, Row, Save, Table, Write
from assistants.services.files.service import Files
from assistants.services.storage import keys
from assistants.services.vector_stores.detach import FileDetacher
from assistants.services.vector_stores.file_counts import ShardedCounters
from assistants.services.vector_stores.file_repository import (
    RECHECK_SECONDS,
    StoreFile,
    difference,
    relisted,
    views,
)

GROUP = 13  # files in one transaction, of 7 rows each; DynamoDB allows 100
_PAGE = 7 * GROUP  # files that are looked at together


@dataclass
class _Group:
    """What one transaction does."""

    files: list[StoredVectorStoreFile] = field(default_factory=list)
    writes: list[Write] = field(default_factory=list)
    changes: dict[str | None, Counter[str]] = field(default_factory=dict)

    def count(self, changes: dict[str | None, Counter[str]]) -> None:
        for whose, change in changes.items():
            self.changes.setdefault(whose, Counter()).update(change)


@dataclass(frozen=True)
class _Known:
    """What was found of the files that are to join."""

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

    def add(
        self,
        project: ProjectId,
        vector_store_id: VectorStoreId,
        entries: Sequence[VectorStoreFileCreate],
        batch_id: str | None = None,
    ) -> list[StoredVectorStoreFile]:
        """The files as they are in the store now. One that is there already stays as it is if it
        is asked for as before, and has not failed; otherwise it leaves and joins anew. A File that
        does not exist any more is left out. Raises `NotFoundError` for a store that is gone.
        """
        joined: list[StoredVectorStoreFile] = []
        for page in _pieces(entries, _PAGE):
            known = self._look(project, vector_store_id, page)
            added: list[StoredVectorStoreFile] = []
            for group in _pieces(page, GROUP):
                added += self._add(project, vector_store_id, group, batch_id, known)
            waiting = [file.attachment for file in added if file.status == "in_progress"]
            if self.queue is not None and waiting:
                self.queue.send(project, vector_store_id, *waiting)
            joined += added
        return joined

    def _add(
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
                self._join(group, project, vector_store_id, entry, batch_id, known)
            counted = self.counters.adding(project, vector_store_id, group.changes)
            head = Require(keys.vector_store(project, vector_store_id))
            try:
                if group.writes:
                    self.table.commit(head, *group.writes, *counted)
            except ConflictError as conflict:
                if 0 in conflict.failed:
                    raise no_such("vector store", vector_store_id) from conflict
                known = self._look(project, vector_store_id, entries)
                continue
            return group.files

    def _join(
        self,
        group: _Group,
        project: ProjectId,
        vector_store_id: VectorStoreId,
        entry: VectorStoreFileCreate,
        batch_id: str | None,
        known: _Known,
    ) -> None:
        present = known.present.get(entry.file_id)
        if present is not None and _as_wanted(present.file, entry):
            self._join_batch(group, present, batch_id)
            return
        if present is not None:
            self.detacher.detach(project, vector_store_id, present.attachment)
        if (file := known.files.get(entry.file_id)) is not None:
            new = self._stay(vector_store_id, file, entry, batch_id)
            group.files.append(new)
            group.writes += [Require(keys.file(project, file.id)), *_creation(project, new)]
            group.count(difference(None, new))

    def _stay(
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
            attachment=new_order(),
            filename=file.filename,
            batches=[batch_id] if batch_id else [],
        )

    def _join_batch(self, group: _Group, present: StoreFile, batch_id: str | None) -> None:
        if batch_id is None or batch_id in present.file.batches:
            group.files.append(present.file)
            return
        batches = [*present.file.batches, batch_id]
        changed = present.file.model_copy(update={"batches": batches})
        row = present.row
        body = changed.model_dump(mode="json")
        group.files.append(changed)
        group.writes.append(Replace(row, row.changed(body, due_at=row.due_at)))
        group.writes += relisted(present.project, present.file, changed)
        group.count(difference(present.file, changed))

    def _look(
        self,
        project: ProjectId,
        vector_store_id: VectorStoreId,
        entries: Sequence[VectorStoreFileCreate],
    ) -> _Known:
        ids = [entry.file_id for entry in entries]
        stays = self.table.get(*(keys.membership(project, vector_store_id, id_) for id_ in ids))
        found = [stay.body["attachment"] for stay in stays if stay is not None]
        places = [keys.store_file(project, vector_store_id, attachment) for attachment in found]
        rows = [StoreFile.of(project, row) for row in self.table.get(*places) if row is not None]
        return _Known(self.files.find(project, ids), {one.file.id: one for one in rows})


def _as_wanted(file: StoredVectorStoreFile, entry: VectorStoreFileCreate) -> bool:
    """What an entry does not say is as it is."""
    return (
        file.status in ("in_progress", "completed")
        and entry.attributes in (None, file.attributes)
        and (
            entry.chunking_strategy is None
            or decided(entry.chunking_strategy) == file.chunking_strategy
        )
    )


def _creation(project: ProjectId, file: StoredVectorStoreFile) -> Iterator[Write]:
    pointer = {"store": file.vector_store_id, "attachment": file.attachment}
    body = file.model_dump(mode="json")
    key = keys.store_file(project, file.vector_store_id, file.attachment)
    yield Create(Row(key, body, due_at=file.created_at + RECHECK_SECONDS))
    yield Create(Row(keys.membership(project, file.vector_store_id, file.id), pointer))
    yield Save(Row(keys.store_of_file(project, file.id, file.vector_store_id), pointer))
    yield from (Create(Row(view, {"attachment": file.attachment})) for view in views(project, file))


def _pieces(
    entries: Sequence[VectorStoreFileCreate], size: int
) -> Iterator[Sequence[VectorStoreFileCreate]]:
    return (entries[start : start + size] for start in range(0, len(entries), size))
