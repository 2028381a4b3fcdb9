"""Threads: create, get, modify, delete."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from assistants.domain.errors import no_such, thread_in_use
from assistants.domain.ids import (
    MESSAGE,
    THREAD,
    ProjectId,
    ThreadId,
    check_id,
    ids_after,
    order_of,
)
from assistants.domain.page import Cursor, Page
from assistants.domain.schema import Deleted
from assistants.domain.thread import StoredThread, Thread, ThreadCreate, ThreadModify
from assistants.ports.clock import Clock
from assistants.ports.table import (
    ConflictError,
    Create,
    Delete,
    Key,
    Require,
    Row,
    Save,
    Table,
    Write,
)
from assistants.services.storage import keys
from assistants.services.storage.pagination import page_of_rows
from assistants.services.storage.purge_requests import PurgeRequests
from assistants.services.storage.updates import modify, set_members
from assistants.services.threads.attachments import A_WEEK, Attached, Attachments
from assistants.services.threads.messages import new_message, row_of
from assistants.services.threads.tool_resources import Provided, ToolResourceProvisioner
from assistants.services.tools.availability import ToolAvailability

# Messages in one transaction: DynamoDB allows 100 rows. A thread has up to 18, its vector store and
# what joins it 4, and a run that is created with it 4.
BATCH = 70


@dataclass(frozen=True)
class NewThread:
    """The writes that create a thread, its own row first, and those of its first messages.

    Their ids follow from the thread's, so that writing them again changes nothing.
    """

    thread: Thread
    rows: list[Write]
    messages: list[Save]
    provided: Provided
    attached: Attached

    @property
    def early(self) -> Iterator[list[Save]]:
        """Yield the messages that do not fit into the transaction which creates the thread."""
        for start in range(0, max(len(self.messages) - BATCH, 0), BATCH):
            yield self.messages[start : min(start + BATCH, len(self.messages) - BATCH)]

    @property
    def last(self) -> list[Write]:
        """Return the writes that create the thread, with the remaining messages."""
        return [*self.rows, *self.messages[-BATCH:]]


@dataclass(frozen=True)
class Threads:
    table: Table
    tool_availability: ToolAvailability
    provisioner: ToolResourceProvisioner
    attachments: Attachments
    purge_requests: PurgeRequests
    clock: Clock

    def create(self, project: ProjectId, body: ThreadCreate, thread_id: ThreadId) -> Thread:
        """Write messages first and the thread last: until then nobody can see them."""
        new = self.new(project, body, thread_id)
        self.write_early(project, new)
        try:
            self.table.commit(*new.last)
        except ConflictError as conflict:
            if 0 in conflict.failed:  # the same creation, repeated
                return self.get(project, thread_id)
            return self.create(project, body, thread_id)  # its vector store has just changed
        self.begin(project, new)
        return new.thread

    def write_early(self, project: ProjectId, new: NewThread) -> None:
        """Write the messages that come before the thread. If the thread exists, this repeats its
        creation: nothing is written, because they may have changed since.
        """
        if len(new.messages) <= BATCH or self.table.get(keys.thread(project, new.thread.id))[0]:
            return
        for batch in new.early:
            self.table.commit(*batch)

    def begin(self, project: ProjectId, new: NewThread) -> None:
        """Add files to the vector stores of a thread that was just committed."""
        self.provisioner.begin(project, new.provided)
        self.attachments.begin(project, new.attached)

    def list(
        self, project: ProjectId, cursor: Cursor, *, metadata: Mapping[str, str]
    ) -> Page[Thread]:
        """List a project's threads, or those with one pair of metadata: an extension of the API."""
        partition = keys.threads(project)
        for name, value in metadata.items():
            partition = keys.threads_with(project, name, value)
        pointers, has_more = page_of_rows(self.table, partition, "", cursor)
        places = [keys.thread(project, pointer.body["id"]) for pointer in pointers]
        rows = self.table.get(*places)
        threads = [Thread.model_validate(row.body) for row in rows if row]
        return Page.from_items(threads, cursor, has_more=has_more)

    def get(self, project: ProjectId, thread_id: ThreadId) -> Thread:
        return Thread.model_validate(self._row(project, thread_id).body)

    def modify(self, project: ProjectId, thread_id: ThreadId, body: ThreadModify) -> Thread:
        """Change the members that are named, and of tool resources those of the named tools."""
        self.tool_availability.check_resources(project, body.tool_resources)
        changed = modify(
            self.table,
            read=lambda: self._row(project, thread_id),
            change=lambda row: _changed(StoredThread.model_validate(row.body), body),
            extra_writes=lambda row, changed: _moved(project, row, changed),
        )
        return changed.to_api()

    def delete(self, project: ProjectId, thread_id: ThreadId) -> Deleted:
        """Delete a thread with its messages, its runs and the vector stores that were made for it.

        Raises `InvalidRequestError` while a run is active.
        """
        key = keys.thread(project, check_id(thread_id, THREAD, "thread_id"))
        lock = keys.lock(project, thread_id)
        row = self._row(project, thread_id)
        thread = StoredThread.model_validate(row.body)
        now, stores = int(self.clock.time()), thread.own_store_ids
        try:
            self.table.commit(
                Delete(key, row.revision, expected=True),
                Require(lock, present=False),
                self.purge_requests.note(project, thread_id, now, stores),
                *(Delete(pointer.row.key) for pointer in _pointers(project, thread)),
            )
        except ConflictError as conflict:
            if held := conflict.failed.get(1):
                raise thread_in_use(thread_id, held.body["run_id"]) from conflict
            if conflict.failed.get(0) is None:
                raise no_such("thread", thread_id) from conflict
            return self.delete(project, thread_id)  # its metadata has just changed
        self.purge_requests.send(project, thread_id)
        return Deleted(id=thread_id, object="thread.deleted")

    def new(self, project: ProjectId, body: ThreadCreate, thread_id: ThreadId) -> NewThread:
        given_messages = body.messages or []
        self.tool_availability.check_messages(project, given_messages, "messages")
        now = int(self.clock.time())
        provided = self.provisioner.provide(project, body.tool_resources, thread_id, A_WEEK)
        own = [provided.store.id] if provided.store else []
        thread = StoredThread(
            id=thread_id,
            created_at=now,
            tool_resources=provided.resources or {},
            metadata=body.metadata or {},
            own_store_ids=own,
        )
        attached = self.attachments.attach(
            project, thread, given_messages, thread_id, new_store_id=next(iter(own), None)
        )
        messages = [
            Save(row_of(project, new_message(thread_id, message, now, next_id)))
            for message, next_id in zip(given_messages, ids_after(thread_id, MESSAGE), strict=False)
        ]
        row = Row(keys.thread(project, thread_id), attached.thread.model_dump(mode="json"))
        rows = [Create(row), *_pointers(project, thread), *provided.writes, *attached.writes]
        return NewThread(attached.thread.to_api(), rows, messages, provided, attached)

    def _row(self, project: ProjectId, thread_id: ThreadId) -> Row:
        key = keys.thread(project, check_id(thread_id, THREAD, "thread_id"))
        [row] = self.table.get(key)
        if row is None:
            raise no_such("thread", thread_id)
        return row


def _changed(thread: StoredThread, body: ThreadModify) -> StoredThread:
    changes = set_members(body)
    if body.tool_resources is not None:
        changes["tool_resources"] = thread.resources.replaced(body.tool_resources)
    return thread.model_copy(update=changes)


def _pointers(project: ProjectId, thread: Thread) -> list[Create]:
    """Return the rows by which lists find a thread."""
    partitions = [
        keys.threads(project),
        *(keys.threads_with(project, *pair) for pair in thread.metadata.items()),
    ]
    order = order_of(thread.id)
    return [Create(Row(Key(partition, order), {"id": thread.id})) for partition in partitions]


def _moved(project: ProjectId, row: Row, changed: Thread) -> Iterator[Write]:
    """Yield the writes of pointers that a change of metadata adds and removes."""
    before = _pointers(project, Thread.model_validate(row.body))
    after = _pointers(project, changed)
    yield from (Delete(pointer.row.key) for pointer in before if pointer not in after)
    yield from (pointer for pointer in after if pointer not in before)
