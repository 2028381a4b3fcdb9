"""Removing what hung on a deleted thread or vector store, in pages, however much it was."""

from collections.abc import Sequence
from dataclasses import dataclass

from assistants.domain.ids import RUN, VECTOR_STORE
from assistants.ports.purge_queue import PurgeQueue
from assistants.ports.table import Delete, Row, Save, Store
from assistants.services.storage import keys
from assistants.services.tools.code_interpreter.sessions import SandboxSessions
from assistants.services.vector_stores.purge import StorePurges
from assistants.services.vector_stores.rows import row_keys

PAGE = 500  # rows removed before the work is handed to the queue again
RECHECK_SECONDS = 300


@dataclass(frozen=True)
class Purges:
    store: Store
    queue: PurgeQueue
    stores: StorePurges
    sandbox_sessions: SandboxSessions

    def note(self, project: str, identifier: str, now: int, stores: Sequence[str] = ()) -> Save:
        """The write that remembers the work: committed with the deletion of the thread or store, so
        that it is done even when the message that asks for it is lost. `stores` go with a thread.
        """
        key = keys.purge(project, identifier)
        return Save(Row(key, {"stores": [*stores]}, due_at=now + RECHECK_SECONDS))

    def request(self, project: str, identifier: str) -> None:
        self.queue.send(project, identifier)

    def work(self, project: str, identifier: str) -> None:
        """Remove one page. Repeating it, or doing it twice at once, removes nothing else."""
        if identifier.startswith(VECTOR_STORE):
            finished = self.stores.work(project, identifier)
        else:
            finished = self._clear_thread(project, identifier)
        if finished:
            self.store.commit(Delete(keys.purge(project, identifier)))
        else:
            self.request(project, identifier)

    def _clear_thread(self, project: str, thread_id: str) -> bool:
        """First the session and the vector stores, then the runs' journals, then the thread's own
        rows. True when nothing is left.
        """
        self.sandbox_sessions.stop(project, thread_id)
        self._delete_stores(project, thread_id)
        thread = keys.in_thread(project, thread_id)
        states = self.store.keys(thread, keys.RUNS, limit=PAGE)
        for key in states:
            run_id = RUN + key.sort.removeprefix(keys.RUNS)
            if not self.store.clear(keys.in_run(project, run_id), limit=PAGE):
                return False
            self.store.commit(Delete(key))
        return not states and self.store.clear(thread, limit=PAGE)

    def _delete_stores(self, project: str, thread_id: str) -> None:
        [note] = self.store.get(keys.purge(project, thread_id))
        if note is None or note.due_at is None:
            return
        for vector_store_id in note.body["stores"]:
            head, pointer = row_keys(project, vector_store_id)
            following = self.note(project, vector_store_id, note.due_at)
            self.store.commit(Delete(head), Delete(pointer), following)
            self.request(project, vector_store_id)
