"""Code interpreter sessions: one for each thread, launched ahead of time and replaced when lost."""

from collections.abc import Callable
from dataclasses import dataclass

from assistants.domain.errors import NotFoundError
from assistants.domain.ids import ProjectId, ThreadId
from assistants.domain.sandbox import StoredSession, ThreadSandbox
from assistants.ports.clock import Clock
from assistants.ports.sandbox import (
    Sandboxes,
    SandboxLostError,
    SandboxSession,
    SandboxUnavailableError,
)
from assistants.ports.table import ConflictError, Delete
from assistants.services.tools.code_interpreter.repository import LoadedSandbox, SandboxRepository
from assistants.services.tools.code_interpreter.warm_pool import WarmPool
from assistants.telemetry import logger

_PREPARED_SECONDS = 300  # a session must last so long to be of use to a run that begins
_LAUNCH_SECONDS = 240  # within which a new session has to answer
_PROVEN_SECONDS = 60  # after its last use, a session is taken to be alive
_READY_SECONDS = 5.0  # one wait for a session's answer
_FIRST_POLL_SECONDS = 0.2
_MAX_POLL_SECONDS = 2.0
_MAX_LAUNCHES = 3


@dataclass(frozen=True)
class OpenSession:
    """A session that answers, and the row by which it was found."""

    loaded: LoadedSandbox
    name: str
    address: str
    session: SandboxSession


@dataclass(frozen=True)
class SandboxSessions:
    repository: SandboxRepository
    sandboxes: Sandboxes
    warm_pool: WarmPool
    clock: Clock

    def prepare(self, project: ProjectId, thread_id: ThreadId) -> None:
        """Launch a session if there is none, without waiting for it.

        Raises `SandboxUnavailableError`, and `NotFoundError` if the thread is gone.
        """
        loaded = self._ensure_session(self.repository.load(project, thread_id), _PREPARED_SECONDS)
        self._ensure_launched(loaded)

    def open(
        self,
        project: ProjectId,
        thread_id: ThreadId,
        *,
        seconds: float,
        give_up: Callable[[], bool],
    ) -> OpenSession:
        """Wait until the thread's session answers, or a new one that lasts for `seconds`.

        Raises `SandboxUnavailableError`, and `NotFoundError` if the thread is gone.
        """
        failures, pause = 0, _FIRST_POLL_SECONDS
        while True:
            loaded = self._ensure_session(self.repository.load(project, thread_id), seconds)
            name = loaded.sandbox.session.name if loaded.sandbox.session else ""
            try:
                loaded = self._ensure_launched(loaded)
                if opened := self._connect(loaded):
                    return opened
            except SandboxLostError as error:
                self.discard(loaded, name, str(error))
                failures += 1
            except SandboxUnavailableError as error:
                logger.warning("no session can be launched now", extra={"reason": str(error)})
                failures += 1
            if failures == _MAX_LAUNCHES or give_up():
                raise SandboxUnavailableError("no session answers")
            self.clock.sleep(pause)
            pause = min(_MAX_POLL_SECONDS, 1.5 * pause)

    def discard(self, loaded: LoadedSandbox, name: str, reason: str) -> None:
        """Forget a lost session and stop its task."""
        known = loaded.sandbox.session
        self.repository.change(loaded, lambda sandbox: sandbox.without_session(name))
        logger.warning("a session is lost", extra={"session": name, "reason": reason})
        if known and known.name == name and known.handle:
            try:
                self.sandboxes.stop(known.handle)
            except SandboxUnavailableError:
                logger.warning("a lost session is left to end itself", extra={"session": name})

    def stop(self, project: ProjectId, thread_id: ThreadId) -> None:
        """Stop and forget the session of a thread that is deleted.

        A worker that launches one at this moment finds the thread gone, and stops it.

        Raises `SandboxUnavailableError`.
        """
        removed = False
        while not removed:
            loaded = self.repository.load(project, thread_id)
            session = loaded.sandbox.session
            if session and session.handle:
                self.sandboxes.stop(session.handle)
            removed = self.repository.remove(loaded)

    def expire(self, project: ProjectId, thread_id: ThreadId) -> None:
        """Stop a session that should have ended by itself. Raises `SandboxUnavailableError`."""
        loaded = self.repository.load(project, thread_id)
        session = loaded.sandbox.session
        if session and session.ends_at <= self.clock.time():
            if session.handle:
                self.sandboxes.stop(session.handle)
            self.repository.change(loaded, lambda sandbox: sandbox.without_session(session.name))

    def _ensure_session(self, loaded: LoadedSandbox, seconds: float) -> LoadedSandbox:
        """Give the thread a session from the pool or a new one, unless its own may last.

        One that may not is left to end itself: other code may be running in it.
        """
        while not _may_last(loaded.sandbox, seconds, self.clock.time()):
            warm = self.warm_pool.find(seconds)
            try:
                return self._assign(loaded, seconds, *(warm or (self.warm_pool.new(),)))
            except ConflictError:  # another thread has claimed the warm one
                loaded = self.repository.load(loaded.project, loaded.thread_id)
        return loaded

    def _assign(
        self, loaded: LoadedSandbox, seconds: float, session: StoredSession, *claim: Delete
    ) -> LoadedSandbox:
        now = self.clock.time()

        def decide(sandbox: ThreadSandbox) -> ThreadSandbox:
            return sandbox if _may_last(sandbox, seconds, now) else sandbox.with_session(session)

        return self.repository.change(loaded, decide, *claim)

    def _ensure_launched(self, loaded: LoadedSandbox) -> LoadedSandbox:
        """Launch the session and store its handle, unless it is known.

        Launching the same name again launches nothing but returns the handle, which a worker that
        died may not have stored. After a failure the next session gets another name.
        """
        session = loaded.sandbox.session
        if session is None or session.handle:
            return loaded
        try:
            handle = self.sandboxes.launch(session.name, session.token)
        except SandboxUnavailableError:
            self.repository.change(loaded, lambda sandbox: sandbox.without_unlaunched(session.name))
            raise
        logger.info("a session is launched", extra={"session": session.name, "handle": handle})
        try:
            after = self.repository.change(
                loaded, lambda sandbox: sandbox.with_members(session.name, handle=handle)
            )
        except NotFoundError:
            self.sandboxes.stop(handle)
            raise
        known = after.sandbox.session
        if known is None or known.name != session.name:
            self.sandboxes.stop(handle)
        return after

    def _connect(self, loaded: LoadedSandbox) -> OpenSession | None:
        """Return the session if it answers, None while it starts. Raises `SandboxLostError`."""
        session = loaded.sandbox.session
        if session is None or session.handle is None:
            return None  # replaced at this moment
        address = session.address or self.sandboxes.address(session.handle)
        now = self.clock.time()
        if address is not None:
            opened = self.sandboxes.open(address, session.token)
            proven = session.address and now - session.used_at < _PROVEN_SECONDS
            if proven or opened.ready(_READY_SECONDS):
                return OpenSession(loaded, session.name, address, opened)
        if session.address or now - session.launched_at > _LAUNCH_SECONDS:
            raise SandboxLostError("the session does not answer")
        return None


def _may_last(sandbox: ThreadSandbox, seconds: float, now: float) -> bool:
    return sandbox.session is not None and sandbox.session.lasts(seconds, now)


class NoSandboxes:
    """Implement `Sandboxes` for a deployment without a code interpreter: nothing ever starts."""

    def launch(self, name: str, token: str) -> str:  # noqa: ARG002
        raise SandboxUnavailableError("This deployment has no code interpreter.")

    def address(self, handle: str) -> str | None:
        raise SandboxLostError(handle)

    def open(self, address: str, token: str) -> SandboxSession:  # noqa: ARG002
        raise SandboxLostError(address)

    def stop(self, handle: str) -> None:  # noqa: ARG002
        return
