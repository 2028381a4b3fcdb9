"""One turn of the model: what the state CallModel does.

A worker opens the turn in the journal, streams the model's answer into it, and stores the finished
turn before the state returns. Repeating the state is safe at every point: a finished turn is
replayed, a turn of which nothing was shown is begun anew, and one that was shown in part ends the
run as failed, because nothing may be said twice.
"""

from dataclasses import dataclass
from math import ceil
from typing import Any

from assistants.domain import lifecycle
from assistants.domain.errors import NotFoundError
from assistants.domain.ids import RunRef, new_order
from assistants.domain.journal import Event
from assistants.domain.run import LastError, RunIncomplete, RunStatus, Usage
from assistants.domain.tool import specs_of
from assistants.ports.chat_model import ChatModel, ModelError
from assistants.ports.clock import Clock
from assistants.ports.hosted_tool import RunFailedError
from assistants.ports.table import ConflictError, Save
from assistants.services.runs.repository import Change, LoadedRun, RunRepository
from assistants.services.runs.rows import row_of, saves
from assistants.services.runs.termination import Termination
from assistants.services.turns.flush_timer import LOOK_SECONDS, Tick, paced
from assistants.services.turns.history import History
from assistants.services.turns.outcome import end_of, hosted_calls_of, outcome
from assistants.services.turns.prompts import BudgetExhaustedError, Prompts
from assistants.services.turns.reply import Reply
from assistants.services.turns.tool_calls import HostedCalls, creations
from assistants.services.turns.writer import InterruptedTurnError, SupersededError, TurnWriter

MAX_TURNS = 64
_ENDLESS = LastError(
    code="server_error", message=f"The run was ended after {MAX_TURNS} model turns."
)
_BROKEN = LastError(
    code="server_error", message="The model's answer was interrupted and cannot be continued."
)


@dataclass(frozen=True)
class Turns:
    repository: RunRepository
    history: History
    prompts: Prompts
    model: ChatModel
    hosted_calls: HostedCalls
    termination: Termination
    clock: Clock

    def take(self, ref: RunRef, turn: int) -> dict[str, Any]:
        """Make turn number `turn` (from 0) and say what the machine does next."""
        try:
            run = self._take(ref, turn)
        except NotFoundError:
            return outcome(ref, turn + 1, "done", 1)  # thread deleted
        # Rounded up: a wait that ends by its time ends a run whose time is over.
        seconds_left = max(1, ceil(run.state.deadline - self.clock.time()))
        ended = run.state.status in lifecycle.TERMINAL
        next_ = "done" if ended else run.state.next
        told = outcome(ref, turn + 1, next_, seconds_left)
        return {**told, **hosted_calls_of(run)} if next_ == "tools" else told

    def _take(self, ref: RunRef, turn: int) -> LoadedRun:
        author = new_order()
        try:
            run = self.repository.change(ref, lambda run: self._open(run, turn, author))
            if run.state.turn == turn and run.state.status == "in_progress":
                return self._answer(run, author)
        except InterruptedTurnError:
            self.termination.end(ref)
        except (ModelError, RunFailedError) as error:
            last_error = LastError(code=error.code, message=error.message)
            self.termination.end(ref, last_error)
        except SupersededError:
            self._leave_to_another(ref, turn)
        return self.repository.load(ref)

    def _leave_to_another(self, ref: RunRef, turn: int) -> None:
        """Another worker has this turn and alone may write; but the machine may listen to us, so
        the state is to return what the other one makes of it.
        """
        while (run := self.repository.load(ref)).state.turn == turn:
            if run.state.status in lifecycle.TERMINAL:
                return
            if self.clock.time() >= run.state.deadline:
                self.termination.end(ref)
            self.clock.sleep(LOOK_SECONDS)

    def _open(self, run: LoadedRun, turn: int, author: str) -> Change | None:
        """The record that makes this worker the only one who may write."""
        state = run.state
        if state.turn != turn or state.status in lifecycle.TERMINAL:
            return None
        if state.status == "cancelling" or self.clock.time() >= state.deadline:
            raise InterruptedTurnError
        if turn >= MAX_TURNS:
            raise ModelError(_ENDLESS.code, _ENDLESS.message)
        if state.opened == turn and self._was_shown(run):
            raise ModelError(_BROKEN.code, _BROKEN.message)
        events, writes = self._answered(run)
        return Change(
            author=author,
            status="in_progress" if state.status == "queued" else None,
            members={"opened": turn, "waiting_step": None},
            control="open",
            events=events,
            writes=writes,
        )

    def _answered(self, run: LoadedRun) -> tuple[tuple[Event, ...], tuple[Save, ...]]:
        """A step whose calls the server has answered itself is completed when they are read."""
        if run.state.waiting_step is None:
            return (), ()
        usage = run.state.waiting_usage or Usage()
        step = self.repository.waiting_step(run)
        done = {
            "id": step["id"],
            "status": "completed",
            "completed_at": int(self.clock.time()),
            "usage": usage.model_dump(),
        }
        saved = Save(row_of(run, step | done))
        return (Event("thread.run.step.completed", done),), (saved,)

    def _was_shown(self, run: LoadedRun) -> bool:
        """Whether an earlier worker wrote anything of this turn that clients may have seen."""
        since = self.repository.journal.read(run.ref, run.state.sequence + 1)
        return any(record.events for record in since)

    def _answer(self, run: LoadedRun, author: str) -> LoadedRun:
        earlier = self.history.of(run)
        reply = Reply(run.settings, self.clock, earlier.sources, run.state.hosted_made)
        journal = TurnWriter(self.repository, run, author)
        self._prepare(run, journal)
        try:
            request = self.prompts.request(run, earlier.messages)
        except BudgetExhaustedError as used:
            cut = {"incomplete_details": RunIncomplete(reason=used.reason)}
            return self._finish(run, reply, journal, "incomplete", cut)
        try:
            for tick in paced(
                self.model.stream(request), watched=run.state.watched, clock=self.clock
            ):
                if tick.delta is not None:
                    reply.take(tick.delta)
                self._keep_up(run, reply, journal, tick)
            reply.complete()
        except ModelError:
            reply.break_off()
            self._write(run, reply, journal)
            journal.look()  # a worker that was superseded may not end the run either
            raise
        return self._finish(run, reply, journal, *end_of(reply))

    def _prepare(self, run: LoadedRun, journal: TurnWriter) -> None:
        if run.state.turn == 0 and specs_of(run.settings.tools):
            try:
                self.hosted_calls.prepare(run)
            finally:
                journal.look()  # it may have taken a while

    def _keep_up(self, run: LoadedRun, reply: Reply, journal: TurnWriter, tick: Tick) -> None:
        if self.clock.time() >= run.state.deadline:
            raise InterruptedTurnError
        if tick.write:
            self._write(run, reply, journal)
        elif tick.look:
            journal.look()

    def _write(self, run: LoadedRun, reply: Reply, journal: TurnWriter) -> None:
        if reply.draft.pending:
            events, objects = reply.draft.drain()
            journal.append(events, saves(run, events, objects))

    def _finish(
        self,
        run: LoadedRun,
        reply: Reply,
        journal: TurnWriter,
        status: RunStatus | None,
        members: dict[str, Any],
    ) -> LoadedRun:
        """Everything that is left, the end of the turn and perhaps of the run, in one write."""
        events, objects = reply.draft.drain()
        finished = {"turn": run.state.turn + 1, "spent": run.state.spent + reply.usage}
        change = Change(
            author=journal.author,
            status=status,
            members={**members, **finished},
            events=events,
            writes=(
                *saves(run, events, objects),
                *(creations(run, reply.hosted_calls) if status is None else ()),
            ),
        )
        while True:
            try:
                return self.repository.commit(run, change, journal.next)
            except ConflictError:
                run = self.repository.load(run.ref)
                if journal.look():
                    return run  # it is our own: the answer to the first try was lost
