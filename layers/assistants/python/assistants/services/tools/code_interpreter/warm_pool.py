"""Code interpreter sessions that wait for a thread: whoever needs one has it at once."""

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

_MOST = 100
_TOKEN_BYTES = 32
_LASTING_SECONDS = 300  # that it must still live to be worth having


@dataclass(frozen=True)
class WarmPool:
    """`size` sessions are kept waiting, and paid for."""

    table: Table
    sandboxes: Sandboxes
    clock: Clock
    size: int

    def new(self) -> StoredSession:
        """A session that is still to be launched."""
        now = int(self.clock.time())
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        return StoredSession(name=new_order(), token=token, launched_at=now, used_at=now)

    def find(self, seconds: float) -> tuple[StoredSession, Delete] | None:
        """One that will last, and how it is claimed: by the commit that gives it to a thread."""
        if self.size == 0:
            return None
        for row, session in self._rows():
            if self._lasts(session, seconds):
                return session, Delete(row.key, revision=row.revision, expected=True)
        return None

    def keep(self) -> None:
        """Replace those that will not last or are too many, and launch what is missing. Called each
        minute. Raises `SandboxUnavailableError`.
        """
        living = 0
        for row, session in self._rows():
            if living < self.size and self._lasts(session, _LASTING_SECONDS):
                living += 1
                self._launch(row, session)
            else:
                self._remove(row, session)
        for _ in range(self.size - living):
            session = self.new()
            row = Row(keys.spare_session(session.name), session.model_dump(mode="json"))
            self.table.commit(Create(row))
            self._launch(row, session)

    def _rows(self) -> Iterator[tuple[Row, StoredSession]]:
        """The oldest first."""
        for row in self.table.query(keys.SPARE_SESSIONS, "", limit=_MOST):
            yield row, StoredSession.model_validate(row.body)

    def _lasts(self, session: StoredSession, seconds: float) -> bool:
        """Nothing has used it yet: its idle time runs, too."""
        now = self.clock.time()
        return session.lasts(seconds, now) and session.lasts(0, now + _LASTING_SECONDS)

    def _launch(self, row: Row, session: StoredSession) -> None:
        """Launching by the same name again does nothing: this is safe to repeat."""
        if session.handle is not None:
            return
        handle = self.sandboxes.launch(session.name, session.token)
        logger.info("a spare session is launched", extra={"session": session.name})
        launched = session.model_copy(update={"handle": handle})
        try:
            self.table.commit(Replace(row, row.changed(launched.model_dump(mode="json"))))
        except ConflictError:
            return  # a thread has it now

    def _remove(self, row: Row, session: StoredSession) -> None:
        try:
            self.table.commit(Delete(row.key, revision=row.revision, expected=True))
        except ConflictError:
            return  # a thread has it now
        if session.handle:
            self.sandboxes.stop(session.handle)
