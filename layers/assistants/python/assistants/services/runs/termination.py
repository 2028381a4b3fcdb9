"""End a run that its machine does not end: as cancelled, expired or failed.

Steps and messages in progress are found in the journal and closed with the run, in one
transaction.
"""

from dataclasses import dataclass
from typing import Any

from assistants.domain import lifecycle
from assistants.domain.errors import NotFoundError
from assistants.domain.events import MESSAGE_OBJECT, STEP_OBJECT, event_name
from assistants.domain.ids import RunRef
from assistants.domain.journal import Control, Event, RunProjection
from assistants.domain.message import IncompleteReason
from assistants.domain.run import LastError, RunStatus
from assistants.ports.clock import Clock
from assistants.ports.table import Save
from assistants.services.runs.repository import Change, LoadedRun, RunRepository
from assistants.services.runs.rows import row_of

LOST = LastError(code="server_error", message="Sorry, something went wrong.")
_CONTROL: dict[RunStatus, Control] = {"expired": "interrupt", "failed": "interrupt"}
_REASONS: dict[RunStatus, IncompleteReason] = {
    "cancelled": "run_cancelled",
    "expired": "run_expired",
    "failed": "run_failed",
}


@dataclass(frozen=True)
class Termination:
    repository: RunRepository
    clock: Clock

    def end(self, ref: RunRef, error: LastError = LOST) -> None:
        """End the run in the status that its state asks for. Leave an ended run as it is.

        A requested cancel wins, then the deadline; otherwise the run has failed. A run that waits
        for its client cannot fail: if it ends before the client has answered, it is expired.
        """

        def decide(run: LoadedRun) -> Change | None:
            if run.state.status in lifecycle.TERMINAL:
                return None
            return self._change(run, self._status(run), error)

        try:
            self.repository.change(ref, decide)
        except NotFoundError:
            return  # the thread is gone, and the run with it

    def _status(self, run: LoadedRun) -> RunStatus:
        if run.state.status == "cancelling":
            return "cancelled"
        waits = run.state.status == "requires_action"
        return "expired" if waits or self.clock.time() >= run.state.deadline else "failed"

    def _change(self, run: LoadedRun, status: RunStatus, error: LastError) -> Change:
        records = self.repository.journal.read(run.ref, 0)
        projection = RunProjection(run={})
        for record in records:
            for event in record.events:
                projection.apply(event)
        closing = OpenObjects(run, projection, status, error, int(self.clock.time()))
        members: dict[str, Any] = {"last_error": error} if status == "failed" else {}
        return Change(
            status=status,
            members=members,
            events=closing.events(),
            control=_CONTROL.get(status),
            writes=closing.writes(),
            sequence=len(records),
        )


class OpenObjects:
    """Close the steps and messages that are in progress when their run ends."""

    def __init__(
        self,
        run: LoadedRun,
        projection: RunProjection,
        status: RunStatus,
        error: LastError,
        now: int,
    ) -> None:
        self._run = run
        self._projection = projection
        self._changes = [
            *(
                _message_change(known, status, now)
                for known in projection.open_objects(MESSAGE_OBJECT)
            ),
            *(
                _step_change(run, known, status, error, now)
                for known in projection.open_objects(STEP_OBJECT)
            ),
        ]

    def events(self) -> tuple[Event, ...]:
        return tuple(self._changes)

    def writes(self) -> tuple[Save, ...]:
        rows = []
        for change in self._changes:
            known = self._projection.objects[change.data["id"]]
            rows.append(Save(row_of(self._run, known | change.data)))
        return tuple(rows)


def _message_change(known: dict[str, Any], status: RunStatus, now: int) -> Event:
    return Event(
        "thread.message.incomplete",
        {
            "id": known["id"],
            "status": "incomplete",
            "incomplete_at": now,
            "incomplete_details": {"reason": _REASONS[status]},
        },
    )


def _step_change(
    run: LoadedRun, known: dict[str, Any], status: RunStatus, error: LastError, now: int
) -> Event:
    change: dict[str, Any] = {"id": known["id"], "status": status, f"{status}_at": now}
    if status == "failed":
        change["last_error"] = error.model_dump()
    if run.state.waiting_usage is not None and known["id"] == run.state.waiting_step:
        change["usage"] = run.state.waiting_usage.model_dump()
    return Event(event_name(STEP_OBJECT, status), change)
