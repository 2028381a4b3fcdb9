"""Requests to purge the rows of a deleted thread or vector store."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from assistants.domain.ids import ProjectId
from assistants.ports.purge_queue import PurgeQueue
from assistants.ports.table import ConflictError, Key, Replace, Row, Save, Table
from assistants.services.storage import keys

RECHECK_SECONDS = 300  # after which `expire` sends a request again


@dataclass(frozen=True)
class PurgeRequests:
    table: Table
    queue: PurgeQueue

    def note(
        self, project: ProjectId, identifier: str, now: int, stores: Sequence[str] = ()
    ) -> Save:
        """Return the write that records the work. Commit it with the deletion of the thread or
        store, so that the work is done even if the queue's message is lost. `stores` are the
        vector stores that go with a thread; `now` is in Unix seconds.
        """
        key = keys.purge(project, identifier)
        return Save(Row(key, {"stores": [*stores]}, due_at=now + RECHECK_SECONDS))

    def look(self, project: ProjectId, key: Key, now: int) -> None:
        """Ask again for work that is overdue. It is postponed first, so that a long purge does not
        get one more worker every minute.
        """
        [note] = self.table.get(key)
        if note is None or note.due_at is None or note.due_at > now:
            return
        try:
            self.table.commit(Replace(note, replace(note, due_at=now + RECHECK_SECONDS)))
        except ConflictError:
            return  # another has asked
        self.send(project, key.sort)

    def send(self, project: ProjectId, identifier: str) -> None:
        """Ask the queue's function to do the work."""
        self.queue.send(project, identifier)
