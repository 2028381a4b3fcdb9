"""Removing what hung on a deleted thread, in pages, however long it was."""

from dataclasses import dataclass

from assistants.domain.ids import RUN
from assistants.ports.purge_queue import PurgeQueue
from assistants.ports.store import Create, Delete, Row, Store
from assistants.services import keyspace

PAGE = 500  # rows removed before the work is handed to the queue again
_RECHECK_SECONDS = 300


@dataclass(frozen=True)
class Purges:
    store: Store
    queue: PurgeQueue

    def note(self, project: str, thread_id: str, now: int) -> Create:
        """The write that remembers the work: committed with the deletion, so that it is done even
        when the message that asks for it is lost.
        """
        key = keyspace.purge(project, thread_id)
        return Create(Row(key, {}, due_at=now + _RECHECK_SECONDS))

    def request(self, project: str, thread_id: str) -> None:
        self.queue.send(project, thread_id)

    def work(self, project: str, thread_id: str) -> None:
        """Remove one page: first the runs' journals, then the thread's own rows. Repeating it, or
        doing it twice at once, removes nothing else.
        """
        thread = keyspace.in_thread(project, thread_id)
        states = self.store.keys(thread, keyspace.RUNS, limit=PAGE)
        for key in states:
            run_id = RUN + key.sort.removeprefix(keyspace.RUNS)
            if not self.store.clear(keyspace.in_run(project, run_id), limit=PAGE):
                self.request(project, thread_id)
                return
            self.store.commit(Delete(key))
        if states or not self.store.clear(thread, limit=PAGE):
            self.request(project, thread_id)
            return
        self.store.commit(Delete(keyspace.purge(project, thread_id)))
