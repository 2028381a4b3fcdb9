"""Cancel a run, in whichever status it is."""

from dataclasses import dataclass

from assistants.domain import lifecycle
from assistants.domain.errors import not_cancellable
from assistants.domain.ids import RunRef
from assistants.domain.run import Run
from assistants.services.runs.callbacks import Callbacks
from assistants.services.runs.repository import Change, LoadedRun, RunRepository


@dataclass(frozen=True)
class Cancellation:
    repository: RunRepository
    callbacks: Callbacks

    def cancel(self, ref: RunRef) -> Run:
        """Request the end of the run. The worker that has it notices within a second and ends it.

        Cancelling twice is fine. Raises `InvalidRequestError` for a run that has ended.
        """
        run = self.repository.change(ref, _request)
        self.callbacks.resume(run, "cancelled")
        return run.run


def _request(run: LoadedRun) -> Change | None:
    if run.state.status == "cancelling":
        return None
    if run.state.status in lifecycle.TERMINAL:
        raise not_cancellable(run.state.status)
    return Change(status="cancelling", members={"required_action": None}, control="interrupt")
