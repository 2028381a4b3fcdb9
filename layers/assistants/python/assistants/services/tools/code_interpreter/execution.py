"""Executing one piece of code in a thread's session: at most once, whatever fails on the way."""

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
from assistants.services.tools.code_interpreter.input_files import Filled, SandboxInputs
from assistants.services.tools.code_interpreter.sessions import OpenSession, SandboxSessions

CELL_SECONDS = 120
_MARGIN_SECONDS = 30  # that a session has to last longer than its code
_ANSWERING_SECONDS = 5  # of a run's time, kept free for what comes after the code
_LOOK_SECONDS = 2.0  # between two looks at whether the run was cancelled
_TRIES = 3

GiveUp = Callable[[], bool]


class CodeLostError(Exception):
    """Raise when a session ended that had got the code: it may have run, and is not run again."""


class RunOverError(Exception):
    """Raise when the run was cancelled, or its time is up, before the code had ended."""


@dataclass(frozen=True)
class Cell:
    """Code that was executed. `renewed`: this is a new session, without the variables of the one
    before. `notes` tell of files that are not there.
    """

    opened: OpenSession
    execution: Execution
    renewed: bool
    notes: tuple[str, ...]


@dataclass(frozen=True)
class CodeRunner:
    sessions: SandboxSessions
    inputs: SandboxInputs
    clock: Clock

    def run(self, use: ToolUse, code: str) -> Cell:
        """Raises `CodeLostError`, `RunOverError`, `SandboxUnavailableError`, and
        `SandboxRefusedError` for code that the session does not take.
        """
        time_left = max(1, use.seconds_left - _ANSWERING_SECONDS)
        deadline = self.clock.time() + time_left
        seconds = min(CELL_SECONDS, time_left)

        def give_up() -> bool:
            return self.clock.time() >= deadline or use.cancelled()

        for _ in range(_TRIES):
            opened = self._opened(use, seconds, give_up)
            try:
                filled = self.inputs.fill(opened, use, give_up)
            except SandboxLostError as error:
                self.sessions.lose(opened.loaded, opened.name, str(error))
                continue
            if sent := self._sending(opened, use, filled):
                execution = self._execution(sent, use, code, seconds, give_up)
                return Cell(sent, execution, _renewed(sent, use), filled.notes)
        raise SandboxUnavailableError("the session is lost again and again")

    def _opened(self, use: ToolUse, seconds: float, give_up: GiveUp) -> OpenSession:
        """Raises `CodeLostError` if the code was sent to a session that is no more."""
        opened = self.sessions.open(
            use.project,
            use.run.thread_id,
            seconds=seconds + _MARGIN_SECONDS,
            give_up=give_up,
        )
        if opened.loaded.box.sent.get(use.id, opened.name) != opened.name:
            raise CodeLostError
        return opened

    def _sending(self, opened: OpenSession, use: ToolUse, filled: Filled) -> OpenSession | None:
        """Note that the session will get the code, before it does; None if it is not the thread's
        session any more.
        """
        name, now = opened.name, int(self.clock.time())
        loaded = self.sessions.repository.change(
            filled.loaded,
            lambda box: box.changed(
                name, address=opened.address, used_at=now, inputs=filled.names
            ).sending(use.id, name),
        )
        if loaded.box.sent.get(use.id) != name:
            return None
        return OpenSession(loaded, name, opened.address, opened.session)

    def _execution(
        self, sent: OpenSession, use: ToolUse, code: str, seconds: float, give_up: GiveUp
    ) -> Execution:
        try:
            while True:
                if execution := self._look(sent, use, code, seconds):
                    return execution
                if give_up():
                    sent.session.cancel(use.id)
                    raise RunOverError
        except SandboxLostError as error:
            self.sessions.lose(sent.loaded, sent.name, str(error))
            raise CodeLostError from error

    def _look(self, sent: OpenSession, use: ToolUse, code: str, seconds: float) -> Execution | None:
        try:
            return sent.session.execute(use.id, code, seconds=seconds, wait=_LOOK_SECONDS)
        except SandboxRefusedError as refused:
            if refused.code != "session_full":
                raise
        self.clock.sleep(_LOOK_SECONDS)
        return None


def _renewed(sent: OpenSession, use: ToolUse) -> bool:
    """Whether the model has to be told that an earlier session is gone: with the first code."""
    box = sent.loaded.box
    others = [name for call_id, name in box.sent.items() if call_id != use.id]
    return box.session is not None and box.session.replaces and sent.name not in others
