"""A warm pool of code interpreter sessions: a thread that needs one need not wait for a launch."""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass

from assistants.domain.ids import new_order
from assistants.domain.sandbox import StoredSession
from assistants.ports.clock import Clock
from assistants.ports.sandbox import Sandboxes
from assistants.ports.table import ConflictError, Create, Delete, Replace, Row, Table
from assistants.services.storage import keys
from assistants.telemetry import logger

_MAX_ROWS = 100
_TOKEN_BYTES = 32
_MIN_LIFETIME_SECONDS = 300  # a session with less left is not worth keeping


@dataclass(frozen=True)
class WarmPool:
    """Keep `size` launched sessions ready. They cost money while they wait."""

    table: Table
    sandboxes: Sandboxes
    clock: Clock
    size: int

    def new(self) -> StoredSession:
        """Return a session that is still to be launched."""
        now = int(self.clock.time())
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        return StoredSession(name=new_order(), token=token, launched_at=now, used_at=now)

    def find(self, seconds: float) -> tuple[StoredSession, Delete] | None:
        """Find a session that lasts for `seconds`.

        The `Delete` claims it: commit it with the change that gives the session to a thread.
        """
        if self.size == 0:
            return None
        for row, session in self._rows():
            if self._lasts(session, seconds):
                return session, Delete(row.key, revision=row.revision, expected=True)
        return None

    def keep(self) -> None:
        """Stop sessions that expire soon or exceed the size, and launch missing ones.

        Called each minute. Raises `SandboxUnavailableError`.
        """
        kept = 0
        for row, session in self._rows():
            if kept < self.size and self._lasts(session, _MIN_LIFETIME_SECONDS):
                kept += 1
                self._launch(row, session)
            else:
                self._remove(row, session)
        for _ in range(self.size - kept):
            session = self.new()
            row = Row(keys.spare_session(session.name), session.model_dump(mode="json"))
            self.table.commit(Create(row))
            self._launch(row, session)

    def _rows(self) -> Iterator[tuple[Row, StoredSession]]:
        """Yield the sessions of the pool, oldest first."""
        for row in self.table.query(keys.WARM_POOL, "", limit=_MAX_ROWS):
            yield row, StoredSession.model_validate(row.body)

    def _lasts(self, session: StoredSession, seconds: float) -> bool:
        # Nothing uses the session while it waits, so it must not reach its idle limit either.
        now = self.clock.time()
        return session.lasts(seconds, now) and session.lasts(0, now + _MIN_LIFETIME_SECONDS)

    def _launch(self, row: Row, session: StoredSession) -> None:
        """Launch the session, unless it has been. Safe to repeat: its name is launched once."""
        if session.handle is not None:
            return
        handle = self.sandboxes.launch(session.name, session.token)
        logger.info("launched a session for the warm pool", extra={"session": session.name})
        launched = session.model_copy(update={"handle": handle})
        try:
            self.table.commit(Replace(row, row.changed(launched.model_dump(mode="json"))))
        except ConflictError:
            return  # a thread has claimed it

    def _remove(self, row: Row, session: StoredSession) -> None:
        try:
            self.table.commit(Delete(row.key, revision=row.revision, expected=True))
        except ConflictError:
            return  # a thread has claimed it
        if session.handle:
            self.sandboxes.stop(session.handle)
