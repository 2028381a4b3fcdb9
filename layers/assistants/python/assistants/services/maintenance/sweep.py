"""The last net: once a minute, everything whose time has come is looked at and set right."""

from dataclasses import dataclass

from assistants.domain import lifecycle
from assistants.domain.errors import NotFound
from assistants.domain.ids import RUN
from assistants.ports.clock import Clock
from assistants.ports.executions import Executions
from assistants.ports.table import Key, Store
from assistants.services.files.service import Files
from assistants.services.files.uploads import Uploads
from assistants.services.maintenance.purge import Purges
from assistants.services.runs.callbacks import Waits
from assistants.services.runs.repository import GRACE_SECONDS, LoadedRun, RunRecords
from assistants.services.runs.termination import Endings
from assistants.services.storage import keys
from assistants.services.tools.code_interpreter.sessions import SandboxSessions
from assistants.services.vector_stores.upkeep import KINDS, StoreUpkeep
from assistants.telemetry import logger

_BATCH = 1000  # a minute's work; what is left is still due the minute after


@dataclass(frozen=True)
class Overdue:
    store: Store
    records: RunRecords
    executions: Executions
    waits: Waits
    endings: Endings
    purges: Purges
    files: Files
    uploads: Uploads
    sandbox_sessions: SandboxSessions
    stores: StoreUpkeep
    clock: Clock

    def sweep(self) -> int:
        """Look at all that is due. One that fails is logged and does not keep the others waiting.

        Returns how many were looked at.
        """
        due = self.store.due(int(self.clock.time()), limit=_BATCH)
        for key in due:
            try:
                self._look(key)
            except Exception:  # the edge of one item: the rest of the sweep must go on
                logger.exception("could not set right", extra={"key": str(key)})
        return len(due)

    def _look(self, key: Key) -> None:
        """The index may be behind: what it names is read again before anything is done."""
        place = keys.place_of(key)
        match place.kind:
            case keys.PURGE:
                self.purges.request(place.project, key.sort)
            case keys.FILE:
                self.files.expire(place.project, key)
            case keys.LOOSE_BLOB:
                self.files.storage.release(place.project, key.sort)
            case keys.UPLOAD:
                self.uploads.expire(place.project, key)
            case kind if kind in KINDS:
                self.stores.look(place, key)
            case _ if key.sort == keys.SANDBOX:
                self.sandbox_sessions.expire(place.project, place.rest[0])
            case _:
                run_id = RUN + key.sort.removeprefix(keys.RUNS)
                self._look_at_run(place.project, place.rest[0], run_id)

    def _look_at_run(self, project: str, thread_id: str, run_id: str) -> None:
        try:
            run = self.records.load(project, thread_id, run_id)
        except NotFound:
            return  # its thread is gone, and is being purged
        if run.state.status not in lifecycle.TERMINAL:
            self._set_right(run)

    def _set_right(self, run: LoadedRun) -> None:
        ids = run.project, run.settings.thread_id, run.settings.id
        if self.clock.time() >= run.state.deadline + GRACE_SECONDS:
            logger.warning("a run outlived its deadline", extra={"run_id": run.settings.id})
            self.endings.end(*ids)
        elif run.state.status == "cancelling":
            self.endings.end(*ids)
            self.waits.wake(run, "cancelled")
        else:
            self.records.postpone(run)
            if run.state.status == "queued":
                self.executions.start(*ids)
                self.waits.wake(run, "submitted")
