"""Threads: create, get, modify, delete."""

from dataclasses import dataclass

from assistants.domain.errors import no_such, thread_in_use
from assistants.domain.ids import MESSAGE, THREAD, check_id, ids_after
from assistants.domain.schema import Deleted
from assistants.domain.thread import Thread, ThreadCreate, ThreadModify
from assistants.ports.clock import Clock
from assistants.ports.store import Conflict, Create, Delete, Require, Row, Save, Store
from assistants.services import keyspace
from assistants.services.hosted_tools import HostedTools
from assistants.services.messages import new_message, row_of
from assistants.services.modification import given, modify
from assistants.services.purges import Purges

BATCH = 90  # rows in one transaction; DynamoDB allows 100


@dataclass(frozen=True)
class Threads:
    store: Store
    hosted_tools: HostedTools
    purges: Purges
    clock: Clock

    def create(self, project: str, body: ThreadCreate, thread_id: str) -> Thread:
        """Messages are written first and the thread last: before that nobody can see them."""
        thread, messages = self.new(project, body, thread_id)
        for start in range(0, max(len(messages) - BATCH, 0), BATCH):
            self.store.commit(*messages[start : start + BATCH])
        rest = messages[-(len(messages) % BATCH or BATCH) :] if messages else []
        try:
            self.store.commit(*rest, thread)
        except Conflict:
            return self.get(project, thread_id)
        return Thread.model_validate(thread.row.body)

    def get(self, project: str, thread_id: str) -> Thread:
        return Thread.model_validate(self._row(project, thread_id).body)

    def modify(self, project: str, thread_id: str, body: ThreadModify) -> Thread:
        self.hosted_tools.check_resources(body.tool_resources)
        return modify(
            self.store,
            read=lambda: self._row(project, thread_id),
            change=lambda row: Thread.model_validate(row.body).model_copy(update=given(body)),
        )

    def delete(self, project: str, thread_id: str) -> Deleted:
        """Raises `InvalidRequest` while a run is active. Its messages and runs are gone with it."""
        key = keyspace.thread(project, check_id(thread_id, THREAD, "thread_id"))
        lock = keyspace.lock(project, thread_id)
        try:
            self.store.commit(
                Delete(key, expected=True),
                Require(lock, present=False),
                self.purges.note(project, thread_id, int(self.clock.time())),
            )
        except Conflict as conflict:
            if held := conflict.failed.get(1):
                raise thread_in_use(thread_id, held.body["run_id"]) from conflict
            raise no_such("thread", thread_id) from conflict
        self.purges.request(project, thread_id)
        return Deleted(id=thread_id, object="thread.deleted")

    def new(self, project: str, body: ThreadCreate, thread_id: str) -> tuple[Create, list[Save]]:
        """The writes that make a thread and its first messages. The messages' ids follow from the
        thread's, so that writing them again changes nothing.
        """
        self.hosted_tools.check_resources(body.tool_resources)
        now = int(self.clock.time())
        members = {**given(body)}
        given_messages = members.pop("messages", [])
        for message in given_messages:
            self.hosted_tools.check_message(message)
        thread = Thread(id=thread_id, created_at=now, **members)
        messages = [
            Save(row_of(project, new_message(thread_id, message, now, next_id)))
            for message, next_id in zip(given_messages, ids_after(thread_id, MESSAGE), strict=False)
        ]
        key = keyspace.thread(project, thread.id)
        return Create(Row(key, thread.model_dump(mode="json"))), messages

    def _row(self, project: str, thread_id: str) -> Row:
        key = keyspace.thread(project, check_id(thread_id, THREAD, "thread_id"))
        [row] = self.store.get(key)
        if row is None:
            raise no_such("thread", thread_id)
        return row
