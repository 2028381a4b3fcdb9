"""The last net: once a minute, everything whose time has come is looked at and set right."""

from dataclasses import dataclass

from assistants.domain import lifecycle
from assistants.domain.errors import NotFoundError
from assistants.domain.ids import RUN, FileId, RunRef, ThreadId
from assistants.ports.clock import Clock
from assistants.ports.executions import Executions
from assistants.ports.table import Key, Table
from assistants.services.files.service import Files
from assistants.services.files.uploads import Uploads
from assistants.services.runs.callbacks import Callbacks
from assistants.services.runs.repository import GRACE_SECONDS, LoadedRun, RunRepository
from assistants.services.runs.termination import Termination
from assistants.services.storage import keys
from assistants.services.storage.places import place_of
from assistants.services.storage.purge_requests import PurgeRequests
from assistants.services.tools.code_interpreter.sessions import SandboxSessions
from assistants.services.vector_stores.upkeep import KINDS, VectorStoreUpkeep
from assistants.telemetry import logger

_BATCH = 1000  # a minute's work; what is left is still due the minute after


@dataclass(frozen=True)
class Sweeper:
    table: Table
    repository: RunRepository
    executions: Executions
    callbacks: Callbacks
    termination: Termination
    purge_requests: PurgeRequests
    files: Files
    uploads: Uploads
    sandbox_sessions: SandboxSessions
    stores: VectorStoreUpkeep
    clock: Clock

    def sweep(self) -> int:
        """Look at all that is due. One that fails is logged and does not keep the others waiting.

        Returns how many were looked at.
        """
        due = self.table.due(int(self.clock.time()), limit=_BATCH)
        for key in due:
            try:
                self._look(key)
            except Exception:  # the edge of one item: the rest of the sweep must go on
                logger.exception("could not set right", extra={"key": str(key)})
        return len(due)

    def _look(self, key: Key) -> None:
        """The index may be behind: what it names is read again before anything is done."""
        place = place_of(key)
        match place.kind:
            case keys.PURGE:
                self.purge_requests.send(place.project, key.sort)
            case keys.FILE:
                self.files.expire(place.project, key)
            case keys.ORPHAN_BLOB:
                self.files.contents.release(place.project, FileId(key.sort))
            case keys.UPLOAD:
                self.uploads.expire(place.project, key)
            case kind if kind in KINDS:
                self.stores.look(place, key)
            case _ if key.sort == keys.SANDBOX:
                self.sandbox_sessions.expire(place.project, ThreadId(place.rest[0]))
            case _:
                run_id = RUN.with_order(key.sort.removeprefix(keys.RUNS))
                self._look_at_run(RunRef(place.project, ThreadId(place.rest[0]), run_id))

    def _look_at_run(self, ref: RunRef) -> None:
        try:
            run = self.repository.load(ref)
        except NotFoundError:
            return  # its thread is gone, and is being purged
        if run.state.status not in lifecycle.TERMINAL:
            self._set_right(run)

    def _set_right(self, run: LoadedRun) -> None:
        if self.clock.time() >= run.state.deadline + GRACE_SECONDS:
            logger.warning("a run outlived its deadline", extra={"run_id": run.settings.id})
            self.termination.end(run.ref)
        elif run.state.status == "cancelling":
            self.termination.end(run.ref)
            self.callbacks.wake(run, "cancelled")
        else:
            self.repository.postpone(run)
            if run.state.status == "queued":
                self.executions.start(run.ref)
                self.callbacks.wake(run, "submitted")
