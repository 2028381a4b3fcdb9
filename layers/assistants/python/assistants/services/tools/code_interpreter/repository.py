"""How a thread's code interpreter is stored: one row, changed only as it was last seen."""

from collections.abc import Callable
from dataclasses import dataclass

from assistants.domain.errors import no_such
from assistants.domain.sandbox import Box
from assistants.ports.table import Conflict, Create, Delete, Replace, Require, Row, Store, Write
from assistants.services.storage import keys

_ORPHANED_SECONDS = 60  # how long after its end a session may still be there


@dataclass(frozen=True)
class LoadedBox:
    project: str
    thread_id: str
    row: Row | None
    box: Box


@dataclass(frozen=True)
class SandboxRecords:
    store: Store

    def load(self, project: str, thread_id: str) -> LoadedBox:
        [row] = self.store.get(keys.sandbox(project, thread_id))
        box = Box.model_validate(row.body) if row else Box()
        return LoadedBox(project, thread_id, row, box)

    def change(self, loaded: LoadedBox, decide: Callable[[Box], Box], *claim: Delete) -> LoadedBox:
        """Decide and save; again whenever another was faster. What changes nothing is not written.

        Raises `NotFound` if the thread is gone, and `Conflict` if what is claimed with the change
        is gone.
        """
        while True:
            after = decide(loaded.box)
            if after == loaded.box:
                return loaded
            row, writes = self._saving(loaded, after)
            try:
                self.store.commit(*writes, *claim)
            except Conflict as conflict:
                if len(writes) in conflict.failed:
                    raise
                if loaded.row is None and 0 in conflict.failed:
                    raise no_such("thread", loaded.thread_id) from conflict
            else:
                return LoadedBox(loaded.project, loaded.thread_id, row, after)
            loaded = self.load(loaded.project, loaded.thread_id)

    def remove(self, loaded: LoadedBox) -> bool:
        """Whether it is gone now; it is not if it has changed meanwhile."""
        if loaded.row is None:
            return True
        try:
            self.store.commit(Delete(loaded.row.key, revision=loaded.row.revision))
        except Conflict:
            return False
        return True

    def _saving(self, loaded: LoadedBox, box: Box) -> tuple[Row, list[Write]]:
        body = box.model_dump(mode="json")
        due_at = box.session.ends_at + _ORPHANED_SECONDS if box.session else None
        if loaded.row is not None:
            row = loaded.row.changed(body, due_at=due_at)
            return row, [Replace(loaded.row, row)]
        row = Row(keys.sandbox(loaded.project, loaded.thread_id), body, due_at=due_at)
        return row, [Require(keys.thread(loaded.project, loaded.thread_id)), Create(row)]
