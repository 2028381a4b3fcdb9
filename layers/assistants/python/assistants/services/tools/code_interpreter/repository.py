"""How a thread's code interpreter is stored: one row, changed only as it was last seen."""

from collections.abc import Callable
from dataclasses import dataclass

from assistants.domain.errors import no_such
from assistants.domain.ids import ProjectId, ThreadId
from assistants.domain.sandbox import ThreadSandbox
from assistants.ports.table import (
    ConflictError,
    Create,
    Delete,
    Replace,
    Require,
    Row,
    Table,
    Write,
)
from assistants.services.storage import keys

_ORPHANED_SECONDS = 60  # how long after its end a session may still be there


@dataclass(frozen=True)
class LoadedSandbox:
    project: ProjectId
    thread_id: ThreadId
    row: Row | None
    box: ThreadSandbox


@dataclass(frozen=True)
class SandboxRepository:
    table: Table

    def load(self, project: ProjectId, thread_id: ThreadId) -> LoadedSandbox:
        [row] = self.table.get(keys.sandbox(project, thread_id))
        box = ThreadSandbox.model_validate(row.body) if row else ThreadSandbox()
        return LoadedSandbox(project, thread_id, row, box)

    def change(
        self,
        loaded: LoadedSandbox,
        decide: Callable[[ThreadSandbox], ThreadSandbox],
        *claim: Delete,
    ) -> LoadedSandbox:
        """Decide and save; again whenever another was faster. What changes nothing is not written.

        Raises `NotFoundError` if the thread is gone, and `ConflictError` if what is claimed with
        the change is gone.
        """
        while True:
            after = decide(loaded.box)
            if after == loaded.box:
                return loaded
            row, writes = self._saving(loaded, after)
            try:
                self.table.commit(*writes, *claim)
            except ConflictError as conflict:
                if len(writes) in conflict.failed:
                    raise
                if loaded.row is None and 0 in conflict.failed:
                    raise no_such("thread", loaded.thread_id) from conflict
            else:
                return LoadedSandbox(loaded.project, loaded.thread_id, row, after)
            loaded = self.load(loaded.project, loaded.thread_id)

    def remove(self, loaded: LoadedSandbox) -> bool:
        """Whether it is gone now; it is not if it has changed meanwhile."""
        if loaded.row is None:
            return True
        try:
            self.table.commit(Delete(loaded.row.key, revision=loaded.row.revision))
        except ConflictError:
            return False
        return True

    def _saving(self, loaded: LoadedSandbox, box: ThreadSandbox) -> tuple[Row, list[Write]]:
        body = box.model_dump(mode="json")
        due_at = box.session.ends_at + _ORPHANED_SECONDS if box.session else None
        if loaded.row is not None:
            row = loaded.row.changed(body, due_at=due_at)
            return row, [Replace(loaded.row, row)]
        row = Row(keys.sandbox(loaded.project, loaded.thread_id), body, due_at=due_at)
        return row, [Require(keys.thread(loaded.project, loaded.thread_id)), Create(row)]
