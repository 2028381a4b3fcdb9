"""Messages: create, list, get, modify, delete."""

from dataclasses import dataclass

from assistants.domain.errors import message_unfinished, no_such, thread_closed_to_messages
from assistants.domain.ids import MESSAGE, RUN, THREAD, ProjectId, RunId, RunRef, ThreadId, check_id
from assistants.domain.message import Message, MessageCreate, MessageModify, content_blocks
from assistants.domain.page import Cursor, Page
from assistants.domain.schema import Deleted
from assistants.ports.clock import Clock
from assistants.ports.table import ConflictError, Create, Delete, Require, Row, Table
from assistants.services.storage import keys
from assistants.services.storage.pagination import page, page_of_rows
from assistants.services.storage.updates import modify, set_members
from assistants.services.threads.attachments import Additions, Attachments
from assistants.services.tools.availability import ToolAvailability


def new_message(thread_id: ThreadId, body: MessageCreate, now: int, message_id: str) -> Message:
    return Message(
        id=message_id,
        created_at=now,
        thread_id=thread_id,
        status="completed",
        completed_at=now,
        role=body.role,
        content=content_blocks(body.content),
        attachments=body.attachments or [],
        metadata=body.metadata or {},
    )


def row_of(project: ProjectId, message: Message) -> Row:
    key = keys.message(project, message.thread_id, message.id)
    return Row(key, message.model_dump(mode="json"))


@dataclass(frozen=True)
class Messages:
    table: Table
    tool_availability: ToolAvailability
    attachments: Attachments
    clock: Clock

    def create(
        self, project: ProjectId, thread_id: ThreadId, body: MessageCreate, message_id: str
    ) -> Message:
        """Create a message. Raises `InvalidRequestError` while a run of the thread is active."""
        check_id(thread_id, THREAD, "thread_id")
        self.tool_availability.check_messages(project, [body])
        message = new_message(thread_id, body, int(self.clock.time()), message_id)
        while True:
            additions = self._additions(project, thread_id, body, message_id)
            thread, *others = additions.writes
            lock = Require(keys.lock(project, thread_id), present=False)
            try:
                self.table.commit(thread, lock, Create(row_of(project, message)), *others)
            except ConflictError as conflict:
                if 2 in conflict.failed:
                    return self.get(project, thread_id, message_id)
                self._require_open(thread_id, conflict)
                continue
            self.attachments.begin(project, additions)
            return message

    def _additions(
        self, project: ProjectId, thread_id: ThreadId, body: MessageCreate, message_id: str
    ) -> Additions:
        """Return the writes of the message's attachments; without any, the thread is not read."""
        key = keys.thread(project, thread_id)
        if not body.attachments:
            return Additions(writes=[Require(key)])
        [row] = self.table.get(key)
        if row is None:
            raise no_such("thread", thread_id)
        return self.attachments.to_thread(project, row, [body], message_id)

    def _require_open(self, thread_id: ThreadId, conflict: ConflictError) -> None:
        """Return if the thread, or its vector store, has merely changed.

        Raises `InvalidRequestError` for an active run, `NotFoundError` for a deleted thread.
        """
        if 1 in conflict.failed:
            held = conflict.failed[1]
            run_id = held.body["run_id"] if held else ""
            raise thread_closed_to_messages(thread_id, run_id) from conflict
        if 0 in conflict.failed and conflict.failed[0] is None:
            raise no_such("thread", thread_id) from conflict

    def list(
        self,
        project: ProjectId,
        thread_id: ThreadId,
        cursor: Cursor,
        *,
        run_id: RunId | None = None,
    ) -> Page[Message]:
        self._require_thread(project, thread_id)
        partition = keys.in_thread(project, thread_id)
        if run_id is None:
            return page(self.table, partition, keys.MESSAGES, cursor, _load)
        prefix = keys.messages_of_run(check_id(run_id, RUN, "run_id"))
        pointers, has_more = page_of_rows(self.table, partition, prefix, cursor)
        ids = [pointer.body["id"] for pointer in pointers]
        rows = self.table.get(*(keys.message(project, thread_id, id_) for id_ in ids))
        return Page.from_items([_load(row) for row in rows if row], cursor, has_more=has_more)

    def get(self, project: ProjectId, thread_id: ThreadId, message_id: str) -> Message:
        return _load(self._row(project, thread_id, message_id))

    def modify(
        self, project: ProjectId, thread_id: ThreadId, message_id: str, body: MessageModify
    ) -> Message:
        return modify(
            self.table,
            read=lambda: self._row(project, thread_id, message_id),
            change=lambda row: _settled(row).model_copy(update=set_members(body)),
        )

    def delete(self, project: ProjectId, thread_id: ThreadId, message_id: str) -> Deleted:
        row = self._row(project, thread_id, message_id)
        writes = [Delete(row.key)]
        if run_id := _settled(row).run_id:
            ref = RunRef(project, thread_id, run_id)
            writes.append(Delete(keys.message_of_run(ref, message_id)))
        self.table.commit(*writes)
        return Deleted(id=message_id, object="thread.message.deleted")

    def _row(self, project: ProjectId, thread_id: ThreadId, message_id: str) -> Row:
        thread, row = self.table.get(
            keys.thread(project, check_id(thread_id, THREAD, "thread_id")),
            keys.message(project, thread_id, check_id(message_id, MESSAGE, "message_id")),
        )
        if thread is None:
            raise no_such("thread", thread_id)
        if row is None:
            raise no_such("message", message_id)
        return row

    def _require_thread(self, project: ProjectId, thread_id: ThreadId) -> None:
        [row] = self.table.get(keys.thread(project, check_id(thread_id, THREAD, "thread_id")))
        if row is None:
            raise no_such("thread", thread_id)


def _settled(row: Row) -> Message:
    """Load a finished message. Raises `InvalidRequestError` while its run still writes it."""
    message = _load(row)
    if message.status == "in_progress":
        raise message_unfinished(message.id, message.run_id)
    return message


def _load(row: Row) -> Message:
    return Message.model_validate(row.body)
