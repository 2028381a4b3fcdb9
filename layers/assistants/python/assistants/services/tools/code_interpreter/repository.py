"""Storage of a thread's code interpreter: one row, changed only in the state last read."""

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

_GRACE_SECONDS = 60  # a session that should have ended by itself is then stopped


@dataclass(frozen=True)
class LoadedSandbox:
    """A thread's sandbox and its row, None if there is none yet."""

    project: ProjectId
    thread_id: ThreadId
    row: Row | None
    sandbox: ThreadSandbox


@dataclass(frozen=True)
class SandboxRepository:
    table: Table

    def load(self, project: ProjectId, thread_id: ThreadId) -> LoadedSandbox:
        [row] = self.table.get(keys.sandbox(project, thread_id))
        sandbox = ThreadSandbox.model_validate(row.body) if row else ThreadSandbox()
        return LoadedSandbox(project, thread_id, row, sandbox)

    def change(
        self,
        loaded: LoadedSandbox,
        decide: Callable[[ThreadSandbox], ThreadSandbox],
        *claim: Delete,
    ) -> LoadedSandbox:
        """Save the decision, deciding again after each conflict. Write nothing if it is no change.

        Raises `NotFoundError` if the thread is gone, and `ConflictError` if the row to `claim` with
        the change is gone.
        """
        while True:
            after = decide(loaded.sandbox)
            if after == loaded.sandbox:
                return loaded
            row, writes = self._writes(loaded, after)
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
        """Delete the row unless it has changed; return whether it is gone."""
        if loaded.row is None:
            return True
        try:
            self.table.commit(Delete(loaded.row.key, revision=loaded.row.revision))
        except ConflictError:
            return False
        return True

    def _writes(self, loaded: LoadedSandbox, sandbox: ThreadSandbox) -> tuple[Row, list[Write]]:
        body = sandbox.model_dump(mode="json")
        due_at = sandbox.session.ends_at + _GRACE_SECONDS if sandbox.session else None
        if loaded.row is not None:
            row = loaded.row.changed(body, due_at=due_at)
            return row, [Replace(loaded.row, row)]
        row = Row(keys.sandbox(loaded.project, loaded.thread_id), body, due_at=due_at)
        return row, [Require(keys.thread(loaded.project, loaded.thread_id)), Create(row)]
