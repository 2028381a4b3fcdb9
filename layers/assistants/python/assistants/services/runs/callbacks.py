"""The callback of the state machine: its task tokens in one row, and what ends the wait."""

from collections.abc import Iterator
from dataclasses import dataclass

from assistants.domain.callback import Callback
from assistants.domain.errors import NotFoundError
from assistants.domain.ids import RunRef
from assistants.domain.run_step import required_action
from assistants.ports.executions import Executions, ExecutionsUnavailableError, Outcome
from assistants.ports.table import Create, Replace, Row, Table
from assistants.services.runs.repository import Change, LoadedRun, RunRepository
from assistants.services.storage import keys
from assistants.telemetry import logger

_MAX_CALLBACKS = 100  # of one run: at most one after each turn


@dataclass(frozen=True)
class LoadedCallback:
    callback: Callback
    row: Row

    @classmethod
    def from_row(cls, row: Row | None) -> "LoadedCallback | None":
        return cls(Callback.model_validate(row.body), row) if row else None

    def replaced(self, callback: Callback) -> Replace:
        """Return the write that replaces this callback, if it is still the newest."""
        return Replace(self.row, self.row.changed(callback.model_dump()))


@dataclass(frozen=True)
class Callbacks:
    table: Table
    repository: RunRepository
    executions: Executions

    def begin(self, ref: RunRef, turn: int, token: str) -> None:
        """Store the token and ask the client to act after `turn` turns, in one write.

        A repeated state has a new token: the callback keeps it, too. If the wait is over by then,
        the machine is called back at once.
        """
        try:
            run = self.repository.change(ref, lambda run: self._begin(run, turn, token))
        except NotFoundError:
            self.executions.resume(token, "cancelled")
            return
        if run.state.status != "requires_action":
            over: Outcome = "cancelled" if run.state.status != "queued" else "submitted"
            self.executions.resume(token, over)

    def find(self, run: LoadedRun) -> LoadedCallback | None:
        """Return the run's newest callback, whether its wait is over or not."""
        if run.state.callback_turn is None:
            return None
        [row] = self.table.get(keys.callback(run.ref, run.state.callback_turn))
        return LoadedCallback.from_row(row)

    def find_with_step(self, run: LoadedRun) -> tuple[LoadedCallback | None, Row | None]:
        """Return the newest callback, and the row of the step with unanswered calls."""
        if run.state.callback_turn is None or run.state.waiting_step is None:
            return self.find(run), None
        callback, step = self.table.get(
            keys.callback(run.ref, run.state.callback_turn),
            keys.step(run.ref, run.state.waiting_step),
        )
        return LoadedCallback.from_row(callback), step

    def ended_by(self, run: LoadedRun, outputs_digest: str) -> Callback | None:
        """Return the callback of the run whose wait ended with these outputs."""
        return next(
            (one for one in self._all(run) if one.outputs_digest == outputs_digest),
            None,
        )

    def resume(self, run: LoadedRun, outcome: Outcome) -> None:
        """Call the machine back, if it waits."""
        if (found := self.find(run)) is not None:
            self.call_back(run, found.callback, outcome)

    def call_back(self, run: LoadedRun, callback: Callback, outcome: Outcome) -> None:
        """Call the machine back with each token, the newest first, until one is taken.

        The reason is recorded already, so `expire` repeats a call that fails now.
        """
        try:
            for token in reversed(callback.tokens):
                if self.executions.resume(token, outcome):
                    break
        except ExecutionsUnavailableError:
            logger.exception("called back later", extra={"run_id": run.settings.id})

    def _begin(self, run: LoadedRun, turn: int, token: str) -> Change | None:
        if run.state.turn != turn:  # a late duplicate: the machine is further, maybe using tools
            return None
        if run.state.status == "requires_action":
            return self._add_token(run, token)
        over = self.repository.clock.time() >= run.state.deadline  # tools may have taken that long
        if run.state.status != "in_progress" or run.state.waiting_step is None or over:
            return None
        calls = self.repository.waiting_step(run)["step_details"]["tool_calls"]
        key = keys.callback(run.ref, run.state.turn)
        return Change(
            status="requires_action",
            members={"required_action": required_action(calls), "callback_turn": run.state.turn},
            writes=(Create(Row(key, Callback(tokens=[token]).model_dump())),),
        )

    def _add_token(self, run: LoadedRun, token: str) -> Change | None:
        """Add a token by a change of the run, so that whoever ends the wait knows all tokens."""
        found = self.find(run)
        if found is None or token in found.callback.tokens:
            return None
        tokens = [*found.callback.tokens, token]
        return Change(
            writes=(found.replaced(found.callback.model_copy(update={"tokens": tokens})),)
        )

    def _all(self, run: LoadedRun) -> Iterator[Callback]:
        rows = self.table.query(keys.in_run(run.ref), keys.CALLBACKS, limit=_MAX_CALLBACKS)
        return (Callback.model_validate(row.body) for row in rows)
