"""One turn of the model: the work of the state CallModel.

A worker opens the turn in the journal, streams the model's answer into it, and stores the finished
turn before the state returns. Repeating the state is safe at every point: a finished turn is
replayed, a turn with no visible event starts again, and one that was partly visible ends the run as
failed, because no event may be shown twice.
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
from assistants.services.turns.flush_timer import CHECK_SECONDS, Tick, flush_ticks
from assistants.services.turns.history import History
from assistants.services.turns.outcome import next_input, status_after, tool_inputs
from assistants.services.turns.prompts import BudgetExhaustedError, Prompts
from assistants.services.turns.reply import Reply
from assistants.services.turns.tool_calls import HostedCalls, creations
from assistants.services.turns.writer import InterruptedTurnError, SupersededError, TurnWriter

MAX_TURNS = 64
_TOO_MANY_TURNS = LastError(
    code="server_error", message=f"The run was ended after {MAX_TURNS} model turns."
)
_CUT_IN_PART = LastError(
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
        """Take turn number `turn` (from 0) and return the input of the machine's next state."""
        try:
            run = self._take(ref, turn)
        except NotFoundError:
            return next_input(ref, turn + 1, "done", 1)  # thread deleted
        # Rounded up: a wait that ends by its time ends a run whose time is over.
        seconds_left = max(1, ceil(run.state.deadline - self.clock.time()))
        ended = run.state.status in lifecycle.TERMINAL
        next_ = "done" if ended else run.state.next
        following = next_input(ref, turn + 1, next_, seconds_left)
        return {**following, **tool_inputs(run)} if next_ == "tools" else following

    def _take(self, ref: RunRef, turn: int) -> LoadedRun:
        author = new_order()
        try:
            run = self.repository.change(ref, lambda run: self._open(run, turn, author))
            if run.state.turn == turn and run.state.status == "in_progress":
                return self._stream(run, author)
        except InterruptedTurnError:
            self.termination.end(ref)
        except (ModelError, RunFailedError) as error:
            last_error = LastError(code=error.code, message=error.message)
            self.termination.end(ref, last_error)
        except SupersededError:
            self._await_other_worker(ref, turn)
        return self.repository.load(ref)

    def _await_other_worker(self, ref: RunRef, turn: int) -> None:
        """Wait for the worker that owns this turn: the machine may be waiting for our result, which
        is then the other worker's.
        """
        while (run := self.repository.load(ref)).state.turn == turn:
            if run.state.status in lifecycle.TERMINAL:
                return
            if self.clock.time() >= run.state.deadline:
                self.termination.end(ref)
            self.clock.sleep(CHECK_SECONDS)

    def _open(self, run: LoadedRun, turn: int, author: str) -> Change | None:
        """Append the record that makes this worker the only one who may write."""
        state = run.state
        if state.turn != turn or state.status in lifecycle.TERMINAL:
            return None
        if state.status == "cancelling" or self.clock.time() >= state.deadline:
            raise InterruptedTurnError
        if turn >= MAX_TURNS:
            raise ModelError(_TOO_MANY_TURNS.code, _TOO_MANY_TURNS.message)
        if state.opened == turn and self._was_visible(run):
            raise ModelError(_CUT_IN_PART.code, _CUT_IN_PART.message)
        events, writes = self._complete_hosted_step(run)
        return Change(
            author=author,
            status="in_progress" if state.status == "queued" else None,
            members={"opened": turn, "waiting_step": None},
            control="open",
            events=events,
            writes=writes,
        )

    def _complete_hosted_step(self, run: LoadedRun) -> tuple[tuple[Event, ...], tuple[Save, ...]]:
        """Complete a step whose calls were all of hosted tools: its outputs are read now."""
        if run.state.waiting_step is None:
            return (), ()
        usage = run.state.waiting_usage or Usage()
        step = self.repository.waiting_step(run)
        completed = {
            "id": step["id"],
            "status": "completed",
            "completed_at": int(self.clock.time()),
            "usage": usage.model_dump(),
        }
        saved = Save(row_of(run, step | completed))
        return (Event("thread.run.step.completed", completed),), (saved,)

    def _was_visible(self, run: LoadedRun) -> bool:
        """Return whether an earlier worker wrote an event that clients may have seen."""
        since = self.repository.journal.read(run.ref, run.state.sequence + 1)
        return any(record.events for record in since)

    def _stream(self, run: LoadedRun, author: str) -> LoadedRun:
        earlier = self.history.read(run)
        reply = Reply(run.settings, self.clock, earlier.sources, run.state.hosted_made)
        writer = TurnWriter(self.repository, run, author)
        self._prepare(run, writer)
        try:
            request = self.prompts.request(run, earlier.messages)
        except BudgetExhaustedError as used:
            cut = {"incomplete_details": RunIncomplete(reason=used.reason)}
            return self._finish(run, reply, writer, "incomplete", cut)
        try:
            for tick in flush_ticks(
                self.model.stream(request), watched=run.state.watched, clock=self.clock
            ):
                if tick.delta is not None:
                    reply.take(tick.delta)
                self._keep_up(run, reply, writer, tick)
            reply.complete()
        except ModelError:
            reply.break_off()
            self._flush(run, reply, writer)
            writer.catch_up()  # a worker that was superseded may not end the run either
            raise
        return self._finish(run, reply, writer, *status_after(reply))

    def _prepare(self, run: LoadedRun, writer: TurnWriter) -> None:
        if run.state.turn == 0 and specs_of(run.settings.tools):
            try:
                self.hosted_calls.prepare(run)
            finally:
                writer.catch_up()  # it may have taken a while

    def _keep_up(self, run: LoadedRun, reply: Reply, writer: TurnWriter, tick: Tick) -> None:
        if self.clock.time() >= run.state.deadline:
            raise InterruptedTurnError
        if tick.flush:
            self._flush(run, reply, writer)
        elif tick.check:
            writer.catch_up()

    def _flush(self, run: LoadedRun, reply: Reply, writer: TurnWriter) -> None:
        if reply.draft.pending:
            events, objects = reply.draft.drain()
            writer.append(events, saves(run, events, objects))

    def _finish(
        self,
        run: LoadedRun,
        reply: Reply,
        writer: TurnWriter,
        status: RunStatus | None,
        members: dict[str, Any],
    ) -> LoadedRun:
        """Write the remaining events and the end of the turn, or of the run, in one transaction."""
        events, objects = reply.draft.drain()
        finished = {"turn": run.state.turn + 1, "spent": run.state.spent + reply.usage}
        change = Change(
            author=writer.author,
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
                return self.repository.commit(run, change, writer.next)
            except ConflictError:
                run = self.repository.load(run.ref)
                if writer.catch_up():
                    return run  # it is our own: the answer to the first try was lost
