"""Runs in the table: settings, state and journal, and the one way to change them."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from assistants.domain import lifecycle
from assistants.domain.errors import no_such
from assistants.domain.events import RUN_OBJECT, event_name
from assistants.domain.ids import (
    RUN,
    THREAD,
    ProjectId,
    RunRef,
    check_id,
    new_order,
)
from assistants.domain.journal import Control, Event, Record
from assistants.domain.run import Run, RunProgress, RunSettings, RunState, RunStatus
from assistants.ports.clock import Clock
from assistants.ports.table import ConflictError, Create, Delete, Replace, Row, Table, Write
from assistants.services.runs.journal import Journal
from assistants.services.storage import keys

GRACE_SECONDS = 30  # how long after its deadline a run is left to its own machine
RECHECK_SECONDS = 60  # how long a run may wait for its machine before `expire` checks it


@dataclass(frozen=True)
class LoadedRun:
    project: ProjectId
    settings: RunSettings
    state: RunState
    row: Row

    @property
    def ref(self) -> RunRef:
        return RunRef(self.project, self.settings.thread_id, self.settings.id)

    @property
    def run(self) -> Run:
        return Run.from_stored(self.settings, self.state)


@dataclass(frozen=True)
class Change:
    """One atomic change of a run: a new status, members of its state, events for the journal, and
    rows to write along. `sequence` is the journal number to write at, if known.
    """

    author: str = field(default_factory=new_order)
    status: RunStatus | None = None
    members: dict[str, Any] = field(default_factory=dict)
    events: tuple[Event, ...] = ()
    control: Control | None = None
    writes: tuple[Write, ...] = ()
    sequence: int | None = None


@dataclass(frozen=True)
class RunRepository:
    table: Table
    journal: Journal
    clock: Clock

    def load(self, ref: RunRef) -> LoadedRun:
        """Load a run. Raises `NotFoundError` if it, or its thread, does not exist."""
        thread, state, settings = self.table.get(
            keys.thread(ref.project, check_id(ref.thread_id, THREAD, "thread_id")),
            keys.run_state(ref._replace(run_id=check_id(ref.run_id, RUN, "run_id"))),
            keys.run_settings(ref),
        )
        if thread is None:
            raise no_such("thread", ref.thread_id)
        if state is None or settings is None:
            raise no_such("run", ref.run_id)
        return loaded(ref.project, settings, state)

    def waiting_step(self, run: LoadedRun) -> dict[str, Any]:
        """Return the step whose calls are not all answered."""
        step_id = run.state.waiting_step or ""
        [row] = self.table.get(keys.step(run.ref, step_id))
        if row is None:
            raise LookupError(f"step {step_id} of {run.settings.id} is missing")
        return row.body

    def creation(self, run: LoadedRun, events: tuple[Event, ...]) -> list[Write]:
        """Return the writes that create a run: the lock first, then the run's own row."""
        thread_id, run_id = run.settings.thread_id, run.settings.id
        lock = Row(
            keys.lock(run.project, thread_id),
            {"run_id": run_id, "deadline": run.state.deadline},
            revision=run_id,
        )
        settings = Row(
            keys.run_settings(run.ref),
            run.settings.model_dump(mode="json"),
        )
        first = Record(author=run_id, events=events)
        record = self.journal.entry(run.ref, 0, first)
        return [Create(lock), Create(run.row), Create(settings), record]

    def change(
        self,
        ref: RunRef,
        decide: Callable[[LoadedRun], Change | None],
    ) -> LoadedRun:
        """Load, decide, commit; start again whenever the run has changed in between.

        `decide` gets the run as it is and returns the change, or None when nothing is left to do.
        No record is appended to the journal between the load and the commit.
        """
        sequence: int | None = None
        while True:
            run = self.load(ref)
            change = decide(run)
            if change is None:
                return run
            try:
                return self.commit(run, change, sequence)
            except ConflictError:
                sequence = self.journal.tail(ref) + 1

    def commit(self, run: LoadedRun, change: Change, sequence: int | None = None) -> LoadedRun:
        """Write a change in one transaction; a final status deletes the thread's lock with it.

        Raises `ConflictError`.
        """
        if change.sequence is not None:
            sequence = change.sequence
        if sequence is None:
            sequence = run.state.sequence + 1
        state, event = self._next(run, change, sequence)
        over = state.status in lifecycle.TERMINAL
        row = run.row.changed(
            state.model_dump(mode="json"), due_at=self._due_at(run.row, change.status, state)
        )
        record = Record(change.author, (*change.events, *event), change.control)
        writes: list[Write] = [
            self.journal.entry(run.ref, sequence, record),
            Replace(run.row, row),
            *change.writes,
        ]
        if over:
            lock = keys.lock(run.project, run.settings.thread_id)
            writes.append(Delete(lock, revision=run.settings.id))
        self.table.commit(*writes)
        return replace(run, state=state, row=row)

    def modify(self, ref: RunRef, members: dict[str, Any]) -> LoadedRun:
        """Change members that are not in the journal: the metadata."""
        while True:
            run = self.load(ref)
            state = run.state.model_copy(update=members)
            row = run.row.changed(state.model_dump(mode="json"), due_at=run.row.due_at)
            try:
                self.table.commit(Replace(run.row, row))
            except ConflictError:
                continue
            return replace(run, state=state, row=row)

    def postpone(self, run: LoadedRun) -> None:
        """Let `expire` check a run that is alive again later."""
        due_at = int(self.clock.time()) + RECHECK_SECONDS
        if run.state.status in ("in_progress", "requires_action"):
            due_at = run.state.deadline + GRACE_SECONDS
        row = run.row.changed(run.row.body, due_at=due_at)
        try:
            self.table.commit(Replace(run.row, row))
        except ConflictError:
            return  # it has just changed, so it is alive

    def _due_at(self, row: Row, status: RunStatus | None, state: RunState) -> int | None:
        """Return when `expire` checks the run. A run that waits for its machine is checked soon;
        while it is in progress the index is not written again, because most runs end before.
        """
        if state.status in lifecycle.TERMINAL:
            return None
        if status in ("queued", "cancelling"):
            return int(self.clock.time()) + RECHECK_SECONDS
        return row.due_at

    def _next(
        self, run: LoadedRun, change: Change, sequence: int
    ) -> tuple[RunState, tuple[Event, ...]]:
        members = {**change.members, "sequence": sequence}
        if change.status is None:
            return run.state.model_copy(update=members), ()
        lifecycle.check(run.state.status, change.status)
        stamps = lifecycle.stamps(change.status, int(self.clock.time()))
        if run.state.started_at is not None:
            stamps.pop("started_at", None)
        members |= {"status": change.status, **stamps}
        if change.status in lifecycle.TERMINAL:
            members["usage"] = members.get("spent", run.state.spent)
        state = run.state.model_copy(update=members)
        shown = state.model_dump(mode="json", include=set(members) & set(RunProgress.model_fields))
        return state, (Event(event_name(RUN_OBJECT, change.status), shown),)


def loaded(project: ProjectId, settings: Row, state: Row) -> LoadedRun:
    return LoadedRun(
        project,
        RunSettings.model_validate(settings.body),
        RunState.model_validate(state.body),
        state,
    )


def new_run(project: ProjectId, settings: RunSettings, state: RunState) -> LoadedRun:
    key = keys.run_state(RunRef(project, settings.thread_id, settings.id))
    due_at = settings.created_at + RECHECK_SECONDS
    row = Row(key, state.model_dump(mode="json"), due_at=due_at)
    return LoadedRun(project, settings, state, row)
