"""The execution that is running: when it must stop, and its output so far."""

from __future__ import annotations

import threading
from enum import Enum

from .channel import ProtocolError
from .images import Gallery
from .logs import Logs
from .messages import Done, KernelReady, Message, Shown
from .result import Reason

# An honest kernel sends a few images per execution; thousands of frames are an attack.
_MAX_MESSAGES = 1000


class Step(Enum):
    """The next action of the daemon."""

    WAIT = "wait"
    INTERRUPT = "interrupt"
    KILL = "kill"


class RunningExecution:
    """A running execution, which may be interrupted and after that be killed."""

    def __init__(self, number: int, deadline: float, grace: float) -> None:
        """Stop at `deadline` (monotonic seconds); kill `grace` seconds after an interrupt."""
        self.number = number
        self.logs, self.gallery = Logs(), Gallery()
        self.done: Done | None = None
        self.reason: Reason | None = None
        self._deadline, self._grace = deadline, grace
        self._messages = 0

    def next_step(self, now: float, cancelled: threading.Event) -> Step:
        """Decide by deadline, cancellation and output budget. Interrupt only once."""
        if self.reason is not None:
            return Step.KILL if now > self._deadline else Step.WAIT
        self.reason = self._stop_for(now, cancelled)
        if self.reason is None:
            return Step.WAIT
        self._deadline = now + self._grace
        return Step.INTERRUPT

    def _stop_for(self, now: float, cancelled: threading.Event) -> Reason | None:
        if cancelled.is_set():
            return "cancelled"
        if self.logs.over_budget:
            return "output"
        return "timeout" if now > self._deadline else None

    def receive(self, message: Message) -> None:
        """Process a message of the kernel. Raises ProtocolError if it is out of order."""
        self._messages += 1
        if self._messages > _MAX_MESSAGES:
            raise ProtocolError("too many frames")
        match message:
            case Shown(mime, data):
                self.gallery.offer(mime, data)
            case Done(number, _) if number == self.number:
                self.done = message
            case Done() | KernelReady():
                raise ProtocolError("an answer to another execution")
