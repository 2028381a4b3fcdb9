"""The wait for the client: its task tokens in one row, and what ends it."""

from dataclasses import dataclass

from assistants.domain.errors import NotFoundError
from assistants.domain.ids import RunRef
from assistants.domain.run_step import required_action
from assistants.ports.executions import Executions, Outcome, Unavailable
from assistants.ports.table import Create, Replace, Row, Table
from assistants.services.runs.repository import Change, LoadedRun, RunRepository
from assistants.services.storage import keys
from assistants.telemetry import logger

_MAX_WAITS = 100  # one behind each turn at the most


@dataclass(frozen=True)
class Callbacks:
    table: Table
    repository: RunRepository
    executions: Executions

    def begin(self, ref: RunRef, turn: int, token: str) -> None:
        """Store the token and ask the client to act behind `turn` turns, in one write.

        The state may be repeated, with a new token: then the wait keeps that one, too, and if it
        is over already the machine is called back at once.
        """
        try:
            run = self.repository.change(ref, lambda run: self._keep(run, turn, token))
        except NotFoundError:
            self.executions.resume(token, "cancelled")
            return
        if run.state.status != "requires_action":
            over: Outcome = "cancelled" if run.state.status != "queued" else "submitted"
            self.executions.resume(token, over)

    def _keep(self, run: LoadedRun, turn: int, token: str) -> Change | None:
        if run.state.turn != turn:  # it comes late: the machine is further, perhaps using tools
            return None
        if run.state.status == "requires_action":
            return self._add(run, token)
        over = self.repository.clock.time() >= run.state.deadline  # tools may have taken that long
        if run.state.status != "in_progress" or run.state.waiting_step is None or over:
            return None
        calls = self.repository.waiting_step(run)["step_details"]["tool_calls"]
        key = keys.wait(run.ref, run.state.turn)
        return Change(
            status="requires_action",
            members={"required_action": required_action(calls), "waited": run.state.turn},
            writes=(Create(Row(key, {"tokens": [token], "answers": None, "asked_at": 0})),),
        )

    def _add(self, run: LoadedRun, token: str) -> Change | None:
        """A change of the run, so that whoever ends its wait knows all its tokens."""
        wait = self.find(run)
        if wait is None or token in wait.body["tokens"]:
            return None
        tokens = [*wait.body["tokens"], token]
        return Change(writes=(Replace(wait, wait.changed({**wait.body, "tokens": tokens})),))

    def find(self, run: LoadedRun) -> Row | None:
        """The newest wait of the run, over or not."""
        if run.state.waited is None:
            return None
        [row] = self.table.get(keys.wait(run.ref, run.state.waited))
        return row

    def find_with_step(self, run: LoadedRun) -> tuple[Row | None, Row | None]:
        """The newest wait, over or not, and the step whose calls are not all answered."""
        if run.state.waited is None or run.state.waiting_step is None:
            return self.find(run), None
        wait, step = self.table.get(
            keys.wait(run.ref, run.state.waited),
            keys.step(run.ref, run.state.waiting_step),
        )
        return wait, step

    def ended_by(self, run: LoadedRun, answers: str) -> Row | None:
        """The wait of the run that ended with these `answers`."""
        partition = keys.in_run(run.ref)
        waits = self.table.query(partition, keys.WAITS, limit=_MAX_WAITS)
        return next((wait for wait in waits if wait.body["answers"] == answers), None)

    def wake(self, run: LoadedRun, outcome: Outcome) -> None:
        """Call the machine back, if it waits."""
        if (wait := self.find(run)) is not None:
            self.call_back(run, wait, outcome)

    def call_back(self, run: LoadedRun, wait: Row, outcome: Outcome) -> None:
        """What the machine is called back for is recorded already, so a call that is not taken now
        is made again by `expire`. Only one token is alive, most likely the newest: an older one is,
        when an earlier attempt of the state was late to write down its own.
        """
        try:
            for token in reversed(wait.body["tokens"]):
                if self.executions.resume(token, outcome):
                    break
        except Unavailable:
            logger.exception("called back later", extra={"run_id": run.settings.id})


def answered(wait: Row, answers: str, asked_at: int) -> Row:
    """The end of a wait: a digest of the outputs, to know them when they are sent again."""
    return wait.changed({**wait.body, "answers": answers, "asked_at": asked_at})
