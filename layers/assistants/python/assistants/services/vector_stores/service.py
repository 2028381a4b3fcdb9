"""Vector stores: create, list, get, modify, delete, use and expire them."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from assistants.domain.errors import InvalidRequestError, no_such, store_expired
from assistants.domain.ids import FILE_BATCH, FileId, ProjectId, VectorStoreId, ids_after
from assistants.domain.page import Cursor, Page
from assistants.domain.schema import Deleted
from assistants.domain.vector_store import (
    MAX_FILES,
    StoreHead,
    VectorStore,
    VectorStoreCreate,
    VectorStoreModify,
)
from assistants.domain.vector_store_file import VectorStoreFileCreate
from assistants.ports.clock import Clock
from assistants.ports.table import ConflictError, Create, Delete, Key, Replace, Row, Table, Write
from assistants.services.files.service import Files
from assistants.services.storage import keys
from assistants.services.storage.pagination import page_of_rows
from assistants.services.storage.purge_requests import RECHECK_SECONDS, PurgeRequests
from assistants.services.storage.updates import set_members
from assistants.services.vector_stores.batch_attach import BatchAttacher
from assistants.services.vector_stores.file_counts import SHARDS, sum_counters, to_file_counts
from assistants.services.vector_stores.rows import (
    LoadedStore,
    check_store_id,
    head_keys,
    row_keys,
)

_CLEARABLE = frozenset({"name", "expires_after"})
_FRESH_SECONDS = 60  # a use is recorded at most once a minute, as stores expire by days


@dataclass(frozen=True)
class NewStore:
    """The writes that create a store: its row first, and a batch of its first files, if any."""

    id: VectorStoreId
    writes: list[Write]
    batch_id: str | None


@dataclass(frozen=True)
class VectorStores:
    table: Table
    files: Files
    attacher: BatchAttacher
    purge_requests: PurgeRequests
    clock: Clock

    def create(
        self, project: ProjectId, body: VectorStoreCreate, vector_store_id: VectorStoreId
    ) -> VectorStore:
        new = self.new(project, body, vector_store_id)
        with suppress(ConflictError):  # the same creation, repeated
            self.table.commit(*new.writes)
        self.attach_first_files(project, new)
        return self.get(project, vector_store_id)

    def new(
        self, project: ProjectId, body: VectorStoreCreate, vector_store_id: VectorStoreId
    ) -> NewStore:
        """Prepare a store, to be committed with its owner. Then call `attach_first_files`.

        Raises `NotFoundError` if one of the files does not exist.
        """
        now = int(self.clock.time())
        members = set_members(body)
        file_ids = dict.fromkeys(members.pop("file_ids", ()))
        strategy = members.pop("chunking_strategy", None)
        head = StoreHead(id=vector_store_id, created_at=now, last_active_at=now, **members)
        key, pointer = row_keys(project, vector_store_id)
        row = Row(key, head.model_dump(mode="json"), due_at=head.expires_at)
        writes: list[Write] = [Create(row), Create(Row(pointer, {"id": vector_store_id}))]
        if not file_ids:
            return NewStore(vector_store_id, writes, None)
        self.files.require_files(project, file_ids, "file_ids")
        batch_id = next(ids_after(vector_store_id, FILE_BATCH))
        entries = [
            VectorStoreFileCreate(file_id=file_id, chunking_strategy=strategy)
            for file_id in file_ids
        ]
        writes.append(self.attacher.new_batch(project, vector_store_id, batch_id, entries))
        return NewStore(vector_store_id, writes, batch_id)

    def attach_first_files(self, project: ProjectId, new: NewStore) -> None:
        """Attach the first files of a store that was just committed."""
        if new.batch_id is not None:
            self.attacher.start(project, new.id, new.batch_id)

    def list(self, project: ProjectId, cursor: Cursor) -> Page[VectorStore]:
        partition = keys.vector_stores(project)
        pointers, has_more = page_of_rows(self.table, partition, "", cursor)
        wanted = [list(head_keys(project, pointer.body["id"])) for pointer in pointers]
        rows = iter(self.table.get(*(key for group in wanted for key in group)))
        groups = ([row for _, row in zip(group, rows, strict=False) if row] for group in wanted)
        now = self.clock.time()
        stores = [loaded.to_api(now) for loaded in map(LoadedStore.from_rows, groups) if loaded]
        return Page.from_items(stores, cursor, has_more=has_more)

    def get(self, project: ProjectId, vector_store_id: VectorStoreId) -> VectorStore:
        return self.load(project, vector_store_id).to_api(self.clock.time())

    def modify(
        self, project: ProjectId, vector_store_id: VectorStoreId, body: VectorStoreModify
    ) -> VectorStore:
        """Change a store. Raises `InvalidRequestError` if it has expired, which is final."""
        changes = set_members(body, clearable=_CLEARABLE)
        loaded = self.load(project, vector_store_id)
        return self._change(project, loaded, lambda head: head.model_copy(update=changes))

    def delete(self, project: ProjectId, vector_store_id: VectorStoreId) -> Deleted:
        """Delete a store at once, and its rows and chunks soon after. The Files are kept."""
        head, pointer = row_keys(project, check_store_id(vector_store_id))
        note = self.purge_requests.note(project, vector_store_id, int(self.clock.time()))
        try:
            self.table.commit(Delete(head, expected=True), Delete(pointer), note)
        except ConflictError as conflict:
            raise no_such("vector store", vector_store_id) from conflict
        self.purge_requests.send(project, vector_store_id)
        return Deleted(id=vector_store_id, object="vector_store.deleted")

    def load(self, project: ProjectId, vector_store_id: VectorStoreId) -> LoadedStore:
        """Read a store. Raises `NotFoundError` if it does not exist."""
        partition = keys.in_store(project, check_store_id(vector_store_id))
        rows = self.table.query(partition, keys.STORE_HEAD, limit=SHARDS + 1)
        if (loaded := LoadedStore.from_rows(rows)) is None:
            raise no_such("vector store", vector_store_id)
        return loaded

    def is_live(self, project: ProjectId, vector_store_id: VectorStoreId) -> bool:
        """Return whether a store exists and has not expired."""
        [row] = self.table.get(keys.vector_store(project, vector_store_id))
        if row is None:
            return False
        return not StoreHead.model_validate(row.body).is_expired(self.clock.time())

    def touch(self, project: ProjectId, vector_store_ids: Iterable[VectorStoreId]) -> None:
        """Record a use of these stores, which postpones their expiry.

        Raises `NotFoundError` if a store does not exist, `InvalidRequestError` if it has expired.
        """
        for vector_store_id in vector_store_ids:
            self._change(project, self.load(project, vector_store_id), self._used)

    def is_indexing(self, project: ProjectId, vector_store_id: VectorStoreId) -> bool:
        """Return whether files of the store are still in progress."""
        counters = self.load(project, vector_store_id).counters
        return to_file_counts(sum_counters(counters)).in_progress > 0

    def require_store(self, project: ProjectId, vector_store_id: VectorStoreId) -> None:
        """Raise `NotFoundError` unless the store exists."""
        key = keys.vector_store(project, check_store_id(vector_store_id))
        if self.table.get(key)[0] is None:
            raise no_such("vector store", vector_store_id)

    def admit(
        self, project: ProjectId, vector_store_id: VectorStoreId, file_ids: Sequence[FileId]
    ) -> None:
        """Check that these files fit into the store, and record a use of it.

        Raises `InvalidRequestError` if they do not fit or the store has expired, and
        `NotFoundError` if it does not exist.
        """
        loaded = self.load(project, vector_store_id)
        room = MAX_FILES - to_file_counts(sum_counters(loaded.counters)).total
        if len(file_ids) > room:
            members = [keys.membership(project, vector_store_id, file_id) for file_id in file_ids]
            if self.table.get(*members).count(None) > room:
                raise InvalidRequestError(f"A vector store can hold at most {MAX_FILES} files.")
        self._change(project, loaded, self._used)

    def expire(self, project: ProjectId, key: Key) -> None:
        """Mark the store in this row as expired if it is, and have its chunks deleted. Its files
        stay in lists.
        """
        [row] = self.table.get(key)
        if row is None:
            return
        head = StoreHead.model_validate(row.body)
        now = int(self.clock.time())
        if row.due_at is None or not head.is_expired(now):
            return
        ended = head.model_copy(update={"expired": True}).model_dump(mode="json")
        try:
            self.table.commit(Replace(row, row.changed(ended, due_at=now + RECHECK_SECONDS)))
        except ConflictError:
            return  # `expire` runs again in a minute if it is still due
        self.purge_requests.send(project, head.id)

    def _used(self, head: StoreHead) -> StoreHead:
        now = int(self.clock.time())
        fresh = now - head.last_active_at < _FRESH_SECONDS
        return head if fresh else head.model_copy(update={"last_active_at": now})

    def _change(
        self, project: ProjectId, loaded: LoadedStore, change: Callable[[StoreHead], StoreHead]
    ) -> VectorStore:
        """Change a store's own row. Raises `InvalidRequestError` if the store has expired."""
        while True:
            if loaded.head.is_expired(self.clock.time()):
                raise store_expired(loaded.head.id)
            changed = change(loaded.head)
            row = loaded.row.changed(changed.model_dump(mode="json"), due_at=changed.expires_at)
            try:
                if changed != loaded.head:
                    self.table.commit(Replace(loaded.row, row))
            except ConflictError:
                loaded = self.load(project, loaded.head.id)
                continue
            return LoadedStore(changed, row, loaded.counters).to_api(self.clock.time())
