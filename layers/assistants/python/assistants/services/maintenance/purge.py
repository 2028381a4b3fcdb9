"""Remove the rows of deleted threads and vector stores, page by page."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from assistants.domain.ids import RUN, VECTOR_STORE, ProjectId, RunRef, ThreadId, VectorStoreId
from assistants.ports.clock import Clock
from assistants.ports.table import Delete, Table
from assistants.services.storage import keys
from assistants.services.storage.purge_requests import PurgeRequests
from assistants.services.tools.code_interpreter.sessions import SandboxSessions
from assistants.services.vector_stores.purge import VectorStorePurge
from assistants.services.vector_stores.rows import row_keys

PAGE = 500  # rows removed before the time is looked at again


@dataclass(frozen=True)
class Purge:
    table: Table
    requests: PurgeRequests
    vector_store_purge: VectorStorePurge
    sandbox_sessions: SandboxSessions
    clock: Clock

    def work(self, project: ProjectId, identifier: str, *, seconds: float) -> None:
        """Remove pages until none is left, or ask the queue for the rest after so many `seconds`.

        Repeating it, or two workers at once, remove nothing else.
        """
        until = self.clock.time() + seconds
        remove = self._prepare(project, identifier)
        while not remove():
            if self.clock.time() >= until:
                self.requests.send(project, identifier)
                return
        self.table.commit(Delete(keys.purge(project, identifier)))

    def _prepare(self, project: ProjectId, identifier: str) -> Callable[[], bool]:
        """Return the function that removes one page, and returns True when nothing is left.

        The session of a thread is stopped and its vector stores are deleted before.
        """
        if identifier.startswith(VECTOR_STORE):
            return partial(self.vector_store_purge.purge_page, project, VectorStoreId(identifier))
        thread_id = ThreadId(identifier)
        self.sandbox_sessions.stop(project, thread_id)
        self._delete_stores(project, thread_id)
        return partial(self._clear_thread, project, thread_id)

    def _clear_thread(self, project: ProjectId, thread_id: ThreadId) -> bool:
        """Clear one page of the runs' journals, or then of the thread's own rows."""
        thread = keys.in_thread(project, thread_id)
        states = self.table.keys(thread, keys.RUNS, limit=PAGE)
        for key in states:
            run_id = RUN.with_order(key.sort.removeprefix(keys.RUNS))
            ref = RunRef(project, thread_id, run_id)
            if not self.table.clear(keys.in_run(ref), limit=PAGE):
                return False
            self.table.commit(Delete(key))
        return not states and self.table.clear(thread, limit=PAGE)

    def _delete_stores(self, project: ProjectId, thread_id: ThreadId) -> None:
        [note] = self.table.get(keys.purge(project, thread_id))
        if note is None or note.due_at is None:
            return
        for vector_store_id in note.body["stores"]:
            head, pointer = row_keys(project, vector_store_id)
            following = self.requests.note(project, vector_store_id, note.due_at)
            self.table.commit(Delete(head), Delete(pointer), following)
            self.requests.send(project, vector_store_id)
