"""Cancelling a run, wherever it is."""

from dataclasses import dataclass

from assistants.domain import lifecycle
from assistants.domain.errors import not_cancellable
from assistants.domain.run import Run
from assistants.services.runs.callbacks import Waits
from assistants.services.runs.repository import Change, LoadedRun, RunRecords


@dataclass(frozen=True)
class Cancellation:
    records: RunRecords
    waits: Waits

    def cancel(self, project: str, thread_id: str, run_id: str) -> Run:
        """Ask for the end; whoever works on the run notices within a second and ends it.

        Cancelling twice is fine. Raises `InvalidRequest` for a run that has ended.
        """
        run = self.records.change(project, thread_id, run_id, _ask)
        self.waits.wake(run, "cancelled")
        return run.run


def _ask(run: LoadedRun) -> Change | None:
    if run.state.status == "cancelling":
        return None
    if run.state.status in lifecycle.TERMINAL:
        raise not_cancellable(run.state.status)
    return Change(status="cancelling", members={"required_action": None}, control="interrupt")
