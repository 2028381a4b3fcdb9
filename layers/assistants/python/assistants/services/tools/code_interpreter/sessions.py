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

_PREPARED_SECONDS = 300  # what a session must still last to be of use to a run that begins
_LAUNCH_SECONDS = 240  # in which a session has to answer for the first time
_PROVEN_SECONDS = 60  # how long a session is taken to be alive after it was used
_WAIT_SECONDS = 5.0
_FIRST_LOOK_SECONDS = 0.2
_LOOK_SECONDS = 2.0  # at most, between two looks at a session that is coming up
_LAUNCHES = 3


@dataclass(frozen=True)
class OpenSession:
    """A session that answers, and the row that it was found by."""

    loaded: LoadedSandbox
    name: str
    address: str
    session: SandboxSession


@dataclass(frozen=True)
class SandboxSessions:
    repository: SandboxRepository
    sandboxes: Sandboxes
    spares: WarmPool
    clock: Clock

    def prepare(self, project: ProjectId, thread_id: ThreadId) -> None:
        """Launch a session if there is none, without waiting for it. Raises
        `SandboxUnavailableError`, and `NotFoundError` if the thread is gone.
        """
        loaded = self._current(self.repository.load(project, thread_id), _PREPARED_SECONDS)
        self._launched(loaded)

    def open(
        self,
        project: ProjectId,
        thread_id: ThreadId,
        *,
        seconds: float,
        give_up: Callable[[], bool],
    ) -> OpenSession:
        """The thread's session, or a new one, that will last for some seconds more; waits until it
        answers. Raises `SandboxUnavailableError`, and `NotFoundError` if the thread is gone.
        """
        launches, pause = 0, _FIRST_LOOK_SECONDS
        while True:
            loaded = self._current(self.repository.load(project, thread_id), seconds)
            name = loaded.box.session.name if loaded.box.session else ""
            try:
                loaded = self._launched(loaded)
                if reached := self._reached(loaded):
                    return reached
            except SandboxLostError as error:
                self.lose(loaded, name, str(error))
                launches += 1
            except SandboxUnavailableError as error:
                logger.warning("no session can be launched now", extra={"reason": str(error)})
                launches += 1
            if launches == _LAUNCHES or give_up():
                raise SandboxUnavailableError("no session answers")
            self.clock.sleep(pause)
            pause = min(_LOOK_SECONDS, 1.5 * pause)

    def lose(self, loaded: LoadedSandbox, name: str, reason: str) -> None:
        """Forget the session of that name, and have it stopped, whatever is left of it."""
        known = loaded.box.session
        self.repository.change(loaded, lambda box: box.ended(name))
        logger.warning("a session is lost", extra={"session": name, "reason": reason})
        if known and known.name == name and known.handle:
            try:
                self.sandboxes.stop(known.handle)
            except SandboxUnavailableError:
                logger.warning("a lost session is left to end itself", extra={"session": name})

    def stop(self, project: ProjectId, thread_id: ThreadId) -> None:
        """End the session of a thread that is deleted, and forget it: whoever launches one at the
        same moment finds the thread gone, and ends it. Raises `SandboxUnavailableError`.
        """
        removed = False
        while not removed:
            loaded = self.repository.load(project, thread_id)
            session = loaded.box.session
            if session and session.handle:
                self.sandboxes.stop(session.handle)
            removed = self.repository.remove(loaded)

    def expire(self, project: ProjectId, thread_id: ThreadId) -> None:
        """See to it that a session which should have ended itself has ended.

        Raises `SandboxUnavailableError`.
        """
        loaded = self.repository.load(project, thread_id)
        session = loaded.box.session
        if session and session.ends_at <= self.clock.time():
            if session.handle:
                self.sandboxes.stop(session.handle)
            self.repository.change(loaded, lambda box: box.ended(session.name))

    def _current(self, loaded: LoadedSandbox, seconds: float) -> LoadedSandbox:
        """With a session that may be alive for some seconds more. One that will not be is left to
        end itself: other code may be running in it.
        """
        while not _alive(loaded.box, seconds, self.clock.time()):
            spare = self.spares.find(seconds)
            try:
                return self._begun(loaded, seconds, *(spare or (self.spares.new(),)))
            except ConflictError:  # another thread has the spare one
                loaded = self.repository.load(loaded.project, loaded.thread_id)
        return loaded

    def _begun(
        self, loaded: LoadedSandbox, seconds: float, session: StoredSession, *claim: Delete
    ) -> LoadedSandbox:
        now = self.clock.time()

        def decide(box: ThreadSandbox) -> ThreadSandbox:
            return box if _alive(box, seconds, now) else box.begun(session)

        return self.repository.change(loaded, decide, *claim)

    def _launched(self, loaded: LoadedSandbox) -> LoadedSandbox:
        """With the handle of its session. Launching by the same name again does nothing, and so it
        is the way to learn the handle if whoever launched it got no further. Another try to launch
        what is not available has another name.
        """
        session = loaded.box.session
        if session is None or session.handle:
            return loaded
        try:
            handle = self.sandboxes.launch(session.name, session.token)
        except SandboxUnavailableError:
            self.repository.change(loaded, lambda box: box.given_up(session.name))
            raise
        logger.info("a session is launched", extra={"session": session.name, "handle": handle})
        try:
            after = self.repository.change(
                loaded, lambda box: box.changed(session.name, handle=handle)
            )
        except NotFoundError:
            self.sandboxes.stop(handle)
            raise
        known = after.box.session
        if known is None or known.name != session.name:
            self.sandboxes.stop(handle)
        return after

    def _reached(self, loaded: LoadedSandbox) -> OpenSession | None:
        """The session if it answers, None while it is coming up. Raises `SandboxLostError`."""
        session = loaded.box.session
        if session is None or session.handle is None:
            return None  # replaced this moment
        address = session.address or self.sandboxes.address(session.handle)
        now = self.clock.time()
        if address is not None:
            opened = self.sandboxes.open(address, session.token)
            proven = session.address and now - session.used_at < _PROVEN_SECONDS
            if proven or opened.ready(_WAIT_SECONDS):
                return OpenSession(loaded, session.name, address, opened)
        if session.address or now - session.launched_at > _LAUNCH_SECONDS:
            raise SandboxLostError("the session does not answer")
        return None


def _alive(box: ThreadSandbox, seconds: float, now: float) -> bool:
    return box.session is not None and box.session.lasts(seconds, now)


class NoSandboxes:
    """Implements `Sandboxes` where there are none: no session begins, and none is left to stop."""

    def launch(self, name: str, token: str) -> str:  # noqa: ARG002
        raise SandboxUnavailableError("This deployment has no code interpreter.")

    def address(self, handle: str) -> str | None:
        raise SandboxLostError(handle)

    def open(self, address: str, token: str) -> SandboxSession:  # noqa: ARG002
        raise SandboxLostError(address)

    def stop(self, handle: str) -> None:  # noqa: ARG002
        return
