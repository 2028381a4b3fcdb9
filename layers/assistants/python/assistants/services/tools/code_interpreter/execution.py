"""Execution of a call's code in the thread's session, at most once despite any failure."""

from collections.abc import Callable
from dataclasses import dataclass

from assistants.ports.clock import Clock
from assistants.ports.hosted_tool import ToolUse
from assistants.ports.sandbox import (
    Execution,
    SandboxLostError,
    SandboxRefusedError,
    SandboxUnavailableError,
)
from assistants.services.tools.code_interpreter.input_files import CopiedInputs, InputCopier
from assistants.services.tools.code_interpreter.sessions import OpenSession, SandboxSessions

EXECUTION_SECONDS = 120
_MARGIN_SECONDS = 30  # by which a session has to outlast its code
_ANSWERING_SECONDS = 5  # of a run's time, reserved for the work after the code
_POLL_SECONDS = 2.0  # between two checks whether the run was cancelled
_TRIES = 3

GiveUp = Callable[[], bool]


class CodeLostError(Exception):
    """Raised when a session that had got the code ended. It may have run, so it is not repeated."""


class RunOverError(Exception):
    """Raised when the run was cancelled, or its time is up, before the code had ended."""


@dataclass(frozen=True)
class ExecutedCode:
    """The execution of one call's code, and the session in which it ran.

    `replaced` says that the session is new and lacks the variables of an earlier one. `notes` name
    the input files that are missing.
    """

    opened: OpenSession
    execution: Execution
    replaced: bool
    notes: tuple[str, ...]


@dataclass(frozen=True)
class CodeRunner:
    sessions: SandboxSessions
    input_copier: InputCopier
    clock: Clock

    def run(self, use: ToolUse, code: str) -> ExecutedCode:
        """Copy the run's input files into the thread's session, then execute the code there.

        Raises `CodeLostError`, `RunOverError`, `SandboxUnavailableError`, and `SandboxRefusedError`
        for code that the session does not take.
        """
        time_left = max(1, use.seconds_left - _ANSWERING_SECONDS)
        deadline = self.clock.time() + time_left
        seconds = min(EXECUTION_SECONDS, time_left)

        def give_up() -> bool:
            return self.clock.time() >= deadline or use.cancelled()

        for _ in range(_TRIES):
            opened = self._open(use, seconds, give_up)
            try:
                copied = self.input_copier.copy(opened, use, give_up)
            except SandboxLostError as error:
                self.sessions.discard(opened.loaded, opened.name, str(error))
                continue
            if sent := self._record_sent(opened, use, copied):
                execution = self._execute(sent, use, code, seconds, give_up)
                return ExecutedCode(sent, execution, _replaced(sent, use), copied.notes)
        raise SandboxUnavailableError("the session is lost again and again")

    def _open(self, use: ToolUse, seconds: float, give_up: GiveUp) -> OpenSession:
        """Open the thread's session. Raises `CodeLostError` if an earlier one got this code."""
        opened = self.sessions.open(
            use.project,
            use.run.thread_id,
            seconds=seconds + _MARGIN_SECONDS,
            give_up=give_up,
        )
        if opened.loaded.sandbox.sent.get(use.id, opened.name) != opened.name:
            raise CodeLostError
        return opened

    def _record_sent(
        self, opened: OpenSession, use: ToolUse, copied: CopiedInputs
    ) -> OpenSession | None:
        """Record that the session gets the code, before it does.

        Return None if the thread has another session by now.
        """
        name, now = opened.name, int(self.clock.time())
        loaded = self.sessions.repository.change(
            copied.loaded,
            lambda sandbox: sandbox.with_members(
                name, address=opened.address, used_at=now, inputs=copied.file_ids
            ).with_sent(use.id, name),
        )
        if loaded.sandbox.sent.get(use.id) != name:
            return None
        return OpenSession(loaded, name, opened.address, opened.session)

    def _execute(
        self, sent: OpenSession, use: ToolUse, code: str, seconds: float, give_up: GiveUp
    ) -> Execution:
        try:
            while True:
                if execution := self._poll(sent, use, code, seconds):
                    return execution
                if give_up():
                    sent.session.cancel(use.id)
                    raise RunOverError
        except SandboxLostError as error:
            self.sessions.discard(sent.loaded, sent.name, str(error))
            raise CodeLostError from error

    def _poll(self, sent: OpenSession, use: ToolUse, code: str, seconds: float) -> Execution | None:
        try:
            return sent.session.execute(use.id, code, seconds=seconds, wait=_POLL_SECONDS)
        except SandboxRefusedError as refused:
            if refused.code != "session_full":
                raise
        self.clock.sleep(_POLL_SECONDS)
        return None


def _replaced(sent: OpenSession, use: ToolUse) -> bool:
    """Return whether the session replaces an earlier one and this is its first code.

    Only then does the model have to learn that the earlier variables are gone.
    """
    sandbox = sent.loaded.sandbox
    others = [name for call_id, name in sandbox.sent.items() if call_id != use.id]
    return sandbox.session is not None and sandbox.session.replaces and sent.name not in others
