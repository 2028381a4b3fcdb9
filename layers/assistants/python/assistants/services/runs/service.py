"""Runs: create, list, get, modify.

The state machine takes over from `_start`: see `services/turns`, `callbacks` and `termination`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from assistants.domain.assistant import Assistant
from assistants.domain.capabilities import check_capabilities
from assistants.domain.errors import no_such, thread_busy
from assistants.domain.ids import (
    ASSISTANT,
    MESSAGE,
    RUN,
    THREAD,
    ProjectId,
    RunId,
    RunRef,
    ThreadId,
    check_id,
    ids_after,
    order_of,
)
from assistants.domain.journal import Event
from assistants.domain.message import MessageCreate
from assistants.domain.model import Catalog
from assistants.domain.page import Cursor, Page
from assistants.domain.run import (
    Run,
    RunCreate,
    RunModify,
    RunProgress,
    RunState,
    ThreadRunCreate,
)
from assistants.domain.thread import Thread, ThreadCreate
from assistants.ports.clock import Clock
from assistants.ports.executions import Executions, ExecutionsUnavailableError
from assistants.ports.table import ConflictError, Key, Row, Save, Table, Write
from assistants.services.runs.repository import LoadedRun, RunRepository, loaded, new_run
from assistants.services.runs.settings import settings_of
from assistants.services.runs.termination import Termination
from assistants.services.storage import keys
from assistants.services.storage.pagination import page_of_rows
from assistants.services.storage.updates import set_members
from assistants.services.threads.attachments import Attachments
from assistants.services.threads.messages import new_message, row_of
from assistants.services.threads.service import Threads
from assistants.services.tools.availability import ToolAvailability
from assistants.telemetry import logger


@dataclass(frozen=True)
class Runs:
    table: Table
    repository: RunRepository
    executions: Executions
    termination: Termination
    threads: Threads
    catalog: Catalog
    tool_availability: ToolAvailability
    attachments: Attachments
    clock: Clock
    ttl_seconds: int

    def create(
        self, project: ProjectId, thread_id: ThreadId, body: RunCreate, run_id: RunId
    ) -> Run:
        """Create a run. A thread has one active run: a second is refused until the first ends."""
        thread_key = keys.thread(project, check_id(thread_id, THREAD, "thread_id"))
        assistant_key = self._assistant_key(project, body.assistant_id)
        thread, assistant = self.table.get(thread_key, assistant_key)
        if thread is None:
            raise no_such("thread", thread_id)
        additional = body.additional_messages or []
        self.tool_availability.check_messages(project, additional, "additional_messages")
        attached = self.attachments.to_thread(project, thread, additional, run_id)
        run = self._new(project, attached.thread, assistant, body, run_id)
        messages = self._messages(project, thread_id, additional, run_id)
        writes = [*self.repository.creation(run, _first_events(run)), *attached.writes, *messages]
        try:
            return self._commit(run, writes, lambda: self.attachments.begin(project, attached))
        except ConflictError:  # the thread, or its vector store, has just changed
            return self.create(project, thread_id, body, run_id)

    def create_with_thread(self, project: ProjectId, body: ThreadRunCreate, run_id: RunId) -> Run:
        """Create a thread, its messages and a run. Nothing is created if any is refused."""
        [assistant] = self.table.get(self._assistant_key(project, body.assistant_id))
        self.tool_availability.check_resources(project, body.tool_resources)
        thread_id = THREAD.with_order(order_of(run_id))
        new = self.threads.new(project, body.thread or ThreadCreate(), thread_id)
        run = self._new(project, new.thread, assistant, body, run_id)
        created = Event("thread.created", new.thread.model_dump(mode="json"))
        self.threads.write_early(project, new)
        writes = self.repository.creation(run, (created, *_first_events(run)))
        try:
            return self._commit(run, [*writes, *new.last], lambda: self.threads.begin(project, new))
        except ConflictError:  # the thread's vector store has just changed
            return self.create_with_thread(project, body, run_id)

    def list(self, project: ProjectId, thread_id: ThreadId, cursor: Cursor) -> Page[Run]:
        [thread] = self.table.get(keys.thread(project, check_id(thread_id, THREAD, "thread_id")))
        if thread is None:
            raise no_such("thread", thread_id)
        partition = keys.in_thread(project, thread_id)
        states, has_more = page_of_rows(self.table, partition, keys.RUNS, cursor)
        ids = [RUN.with_order(row.key.sort.removeprefix(keys.RUNS)) for row in states]
        settings = self.table.get(
            *(keys.run_settings(RunRef(project, thread_id, run_id)) for run_id in ids)
        )
        runs = [
            loaded(project, setting, state).run
            for setting, state in zip(settings, states, strict=True)
            if setting
        ]
        return Page.from_items(runs, cursor, has_more=has_more)

    def get(self, ref: RunRef) -> Run:
        return self.repository.load(ref).run

    def modify(self, ref: RunRef, body: RunModify) -> Run:
        return self.repository.modify(ref, set_members(body)).run

    def _commit(self, run: LoadedRun, writes: Sequence[Write], begin: Callable[[], None]) -> Run:
        """Commit the run, attach files to vector stores by `begin`, and start the execution.

        Raises `ConflictError` when something other than the lock has changed.
        """
        thread_id = run.settings.thread_id
        try:
            self.table.commit(*writes)
        except ConflictError as conflict:
            if 1 in conflict.failed:  # the same creation, repeated
                self._start(run)
                return self.get(run.ref)
            held = conflict.failed.get(0)
            if held is None:
                raise
            if held.body["deadline"] >= self.clock.time():
                raise thread_busy(thread_id, held.body["run_id"]) from conflict
            self.termination.end(run.ref._replace(run_id=RunId(held.body["run_id"])))
            return self._commit(run, writes, begin)
        begin()
        self._start(run)
        return run.run

    def _start(self, run: LoadedRun) -> None:
        """Start the execution. The run exists already: if this fails, `expire` starts it."""
        try:
            self.executions.start(run.ref)
        except ExecutionsUnavailableError:
            logger.exception("the execution starts later", extra={"run_id": run.settings.id})

    def _assistant_key(self, project: ProjectId, assistant_id: str) -> Key:
        return keys.assistant(project, check_id(assistant_id, ASSISTANT, "assistant_id"))

    def _new(
        self,
        project: ProjectId,
        thread: Thread,
        row: Row | None,
        body: RunCreate | ThreadRunCreate,
        run_id: RunId,
    ) -> LoadedRun:
        if row is None:
            raise no_such("assistant", body.assistant_id)
        assistant = Assistant.model_validate(row.body)
        self.tool_availability.check_tools(body.tools)
        now = int(self.clock.time())
        settings = settings_of(assistant, body, thread, run_id, now)
        check_capabilities(settings, self.catalog.route(settings.model))
        deadline = now + self.ttl_seconds
        state = RunState(
            expires_at=deadline,
            deadline=deadline,
            watched=bool(body.stream),
            metadata=body.metadata or {},
        )
        return new_run(project, settings, state)

    def _messages(
        self,
        project: ProjectId,
        thread_id: ThreadId,
        additional: Sequence[MessageCreate],
        run_id: RunId,
    ) -> Sequence[Save]:
        now = int(self.clock.time())
        return [
            Save(row_of(project, new_message(thread_id, message, now, message_id)))
            for message, message_id in zip(additional, ids_after(run_id, MESSAGE), strict=False)
        ]


def _first_events(run: LoadedRun) -> tuple[Event, ...]:
    progress = run.state.model_dump(mode="json", include=set(RunProgress.model_fields))
    return Event("thread.run.created", progress), Event("thread.run.queued", {})
