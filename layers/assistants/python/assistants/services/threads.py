"""Threads: create, get, modify, delete."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from assistants.domain.errors import no_such, thread_in_use
from assistants.domain.ids import MESSAGE, THREAD, check_id, ids_after, order_of
from assistants.domain.page import Cursor, Page
from assistants.domain.schema import Deleted
from assistants.domain.thread import Thread, ThreadCreate, ThreadModify
from assistants.ports.clock import Clock
from assistants.ports.store import Conflict, Create, Delete, Key, Require, Row, Save, Store, Write
from assistants.services import keyspace
from assistants.services.hosted_tools import HostedTools
from assistants.services.listing import page_of_rows
from assistants.services.messages import new_message, row_of
from assistants.services.modification import given, modify
from assistants.services.purges import Purges

BATCH = 70  # messages in one transaction; DynamoDB allows 100 rows, and a thread has up to 18


@dataclass(frozen=True)
class NewThread:
    """The writes that make a thread, its own row first, and those of its first messages, whose ids
    follow from the thread's, so that writing them again changes nothing.
    """

    thread: Thread
    rows: list[Create]
    messages: list[Save]

    @property
    def early(self) -> Iterator[list[Save]]:
        """The messages that do not fit into the transaction which makes the thread."""
        for start in range(0, max(len(self.messages) - BATCH, 0), BATCH):
            yield self.messages[start : min(start + BATCH, len(self.messages) - BATCH)]

    @property
    def last(self) -> list[Write]:
        """What makes the thread, with the messages that are left."""
        return [*self.rows, *self.messages[-BATCH:]]


@dataclass(frozen=True)
class Threads:
    store: Store
    hosted_tools: HostedTools
    purges: Purges
    clock: Clock

    def create(self, project: str, body: ThreadCreate, thread_id: str) -> Thread:
        """Messages are written first and the thread last: before that nobody can see them."""
        new = self.new(project, body, thread_id)
        self.write_early(project, new)
        try:
            self.store.commit(*new.last)
        except Conflict:
            return self.get(project, thread_id)
        return new.thread

    def write_early(self, project: str, new: NewThread) -> None:
        """Write the messages that come before the thread. Where it exists already, its creation is
        repeated, and they may have been changed since.
        """
        if len(new.messages) <= BATCH or self.store.get(keyspace.thread(project, new.thread.id))[0]:
            return
        for batch in new.early:
            self.store.commit(*batch)

    def list(self, project: str, cursor: Cursor, *, metadata: Mapping[str, str]) -> Page[Thread]:
        """A project's threads, or those whose metadata holds one pair: an extension of the API."""
        partition = keyspace.threads(project)
        for name, value in metadata.items():
            partition = keyspace.threads_with(project, name, value)
        pointers, has_more = page_of_rows(self.store, partition, "", cursor)
        keys = [keyspace.thread(project, pointer.body["id"]) for pointer in pointers]
        rows = self.store.get(*keys)
        threads = [Thread.model_validate(row.body) for row in rows if row]
        return Page.of(threads, cursor, has_more=has_more)

    def get(self, project: str, thread_id: str) -> Thread:
        return Thread.model_validate(self._row(project, thread_id).body)

    def modify(self, project: str, thread_id: str, body: ThreadModify) -> Thread:
        self.hosted_tools.check_resources(project, body.tool_resources)
        return modify(
            self.store,
            read=lambda: self._row(project, thread_id),
            change=lambda row: Thread.model_validate(row.body).model_copy(update=given(body)),
            beside=lambda row, changed: _moved(project, row, changed),
        )

    def delete(self, project: str, thread_id: str) -> Deleted:
        """Raises `InvalidRequest` while a run is active. Its messages and runs are gone with it."""
        key = keyspace.thread(project, check_id(thread_id, THREAD, "thread_id"))
        lock = keyspace.lock(project, thread_id)
        row = self._row(project, thread_id)
        pointers = _pointers(project, Thread.model_validate(row.body))
        try:
            self.store.commit(
                Delete(key, row.revision, expected=True),
                Require(lock, present=False),
                self.purges.note(project, thread_id, int(self.clock.time())),
                *(Delete(pointer.row.key) for pointer in pointers),
            )
        except Conflict as conflict:
            if held := conflict.failed.get(1):
                raise thread_in_use(thread_id, held.body["run_id"]) from conflict
            if conflict.failed.get(0) is None:
                raise no_such("thread", thread_id) from conflict
            return self.delete(project, thread_id)  # its metadata has changed meanwhile
        self.purges.request(project, thread_id)
        return Deleted(id=thread_id, object="thread.deleted")

    def new(self, project: str, body: ThreadCreate, thread_id: str) -> NewThread:
        self.hosted_tools.check_resources(project, body.tool_resources)
        now = int(self.clock.time())
        members = {**given(body)}
        given_messages = members.pop("messages", [])
        self.hosted_tools.check_messages(project, given_messages, "messages")
        thread = Thread(id=thread_id, created_at=now, **members)
        messages = [
            Save(row_of(project, new_message(thread_id, message, now, next_id)))
            for message, next_id in zip(given_messages, ids_after(thread_id, MESSAGE), strict=False)
        ]
        key = keyspace.thread(project, thread.id)
        row = Row(key, thread.model_dump(mode="json"))
        return NewThread(thread, [Create(row), *_pointers(project, thread)], messages)

    def _row(self, project: str, thread_id: str) -> Row:
        key = keyspace.thread(project, check_id(thread_id, THREAD, "thread_id"))
        [row] = self.store.get(key)
        if row is None:
            raise no_such("thread", thread_id)
        return row


def _pointers(project: str, thread: Thread) -> list[Create]:
    """The rows by which lists find a thread."""
    partitions = [
        keyspace.threads(project),
        *(keyspace.threads_with(project, *pair) for pair in thread.metadata.items()),
    ]
    order = order_of(thread.id)
    return [Create(Row(Key(partition, order), {"id": thread.id})) for partition in partitions]


def _moved(project: str, row: Row, changed: Thread) -> Iterator[Write]:
    """The pointers that other metadata makes and removes."""
    before = _pointers(project, Thread.model_validate(row.body))
    after = _pointers(project, changed)
    yield from (Delete(pointer.row.key) for pointer in before if pointer not in after)
    yield from (pointer for pointer in after if pointer not in before)
