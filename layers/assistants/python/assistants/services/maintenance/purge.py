"""Remove the rows of deleted threads and vector stores, page by page."""

from dataclasses import dataclass

from assistants.domain.ids import RUN, VECTOR_STORE, ProjectId, RunRef, ThreadId, VectorStoreId
from assistants.ports.table import Delete, Table
from assistants.services.storage import keys
from assistants.services.storage.purge_requests import PurgeRequests
from assistants.services.tools.code_interpreter.sessions import SandboxSessions
from assistants.services.vector_stores.purge import VectorStorePurge
from assistants.services.vector_stores.rows import row_keys

PAGE = 500  # rows removed before the queue is asked for the next page


@dataclass(frozen=True)
class Purge:
    table: Table
    requests: PurgeRequests
    vector_store_purge: VectorStorePurge
    sandbox_sessions: SandboxSessions

    def work(self, project: ProjectId, identifier: str) -> None:
        """Remove one page. Repeating it, or two workers at once, remove nothing else."""
        if identifier.startswith(VECTOR_STORE):
            finished = self.vector_store_purge.purge_page(project, VectorStoreId(identifier))
        else:
            finished = self._clear_thread(project, ThreadId(identifier))
        if finished:
            self.table.commit(Delete(keys.purge(project, identifier)))
        else:
            self.requests.send(project, identifier)

    def _clear_thread(self, project: ProjectId, thread_id: ThreadId) -> bool:
        """Stop the session and delete the vector stores, then clear the runs' journals, then the
        thread's own rows. Return True when nothing is left.
        """
        self.sandbox_sessions.stop(project, thread_id)
        self._delete_stores(project, thread_id)
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
