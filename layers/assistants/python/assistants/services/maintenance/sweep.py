"""The last safety net: once a minute, process every row that is due."""

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

_BATCH = 1000  # rows a minute; the rest is still due a minute later


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
    vector_store_upkeep: VectorStoreUpkeep
    clock: Clock

    def sweep(self) -> int:
        """Process all due rows and return their number. A row that fails is logged and skipped."""
        due = self.table.due(int(self.clock.time()), limit=_BATCH)
        for key in due:
            try:
                self._process(key)
            except Exception:  # one row must not stop the rest of the sweep
                logger.exception("a due row was not processed", extra={"key": str(key)})
        return len(due)

    def _process(self, key: Key) -> None:
        """Process one due row, after reading it again: the index can be older than the table."""
        place = place_of(key)
        match place.kind:
            case keys.PURGE:
                self.purge_requests.look(place.project, key, int(self.clock.time()))
            case keys.FILE:
                self.files.expire(place.project, key)
            case keys.ORPHAN_BLOB:
                self.files.contents.delete_orphan(place.project, FileId(key.sort))
            case keys.UPLOAD:
                self.uploads.expire(place.project, key)
            case kind if kind in KINDS:
                self.vector_store_upkeep.process(place, key)
            case _ if key.sort == keys.SANDBOX:
                self.sandbox_sessions.expire(place.project, ThreadId(place.rest[0]))
            case _:
                run_id = RUN.with_order(key.sort.removeprefix(keys.RUNS))
                self._process_run(RunRef(place.project, ThreadId(place.rest[0]), run_id))

    def _process_run(self, ref: RunRef) -> None:
        try:
            run = self.repository.load(ref)
        except NotFoundError:
            return  # its thread is being purged
        if run.state.status not in lifecycle.TERMINAL:
            self._repair(run)

    def _repair(self, run: LoadedRun) -> None:
        if self.clock.time() >= run.state.deadline + GRACE_SECONDS:
            logger.warning("a run outlived its deadline", extra={"run_id": run.settings.id})
            self.termination.end(run.ref)
        elif run.state.status == "cancelling":
            self.termination.end(run.ref)
            self.callbacks.resume(run, "cancelled")
        else:
            self.repository.postpone(run)
            if run.state.status == "queued":
                self.executions.start(run.ref)
                self.callbacks.resume(run, "submitted")
