"""The executions of a session: each id runs at most once, however often it is sent."""

from __future__ import annotations

import hashlib
import queue
import threading
from collections.abc import Iterator

from .result import Result
from .supervisor import Supervisor

_MAX_WAITING = 16
_MAX_IDS = 10_000
_MAX_KEPT_BYTES = 128 << 20
_IDLE_LOOK_SECONDS = 0.5


class ExecutionConflictError(Exception):
    """Raised when an id was used before, for other code."""


class ExecutionGoneError(Exception):
    """Raised when an execution has ended and its result is no longer kept."""


class SessionFullError(Exception):
    """Raised when too many executions wait, or the session has had too many."""


class QueuedExecution:
    """One piece of code in the queue, and later its result."""

    def __init__(self, code: str, seconds: float) -> None:
        """Hold code that may run for so many seconds."""
        self.code, self.seconds = code, seconds
        self.digest = hashlib.sha256(code.encode()).digest()
        self.cancelled, self.finished = threading.Event(), threading.Event()
        self.result: Result | None = None

    def finish(self, result: Result) -> None:
        """Publish the result and forget the code."""
        self.result, self.code = result, ""
        self.finished.set()

    def wait(self, seconds: float) -> Result | None:
        """Return the result as soon as there is one, None after so many seconds.

        Raises ExecutionGoneError.
        """
        if not self.finished.wait(seconds):
            return None
        result = self.result
        if result is None:
            raise ExecutionGoneError
        return result


class ExecutionQueue:
    """All executions of the session, run one after another in a thread of their own."""

    def __init__(self, supervisor: Supervisor) -> None:
        """Wait for `serve` to run in the thread that owns the kernel."""
        self.ready = threading.Event()
        self._supervisor = supervisor
        self._by_id: dict[str, QueuedExecution] = {}
        self._waiting: queue.Queue[QueuedExecution] = queue.Queue(_MAX_WAITING)
        self._lock = threading.Lock()

    def submit(self, execution_id: str, code: str, seconds: float) -> QueuedExecution:
        """Queue code under an id, or return what has that id already.

        Raises ExecutionConflictError and SessionFullError.
        """
        new = QueuedExecution(code, seconds)
        with self._lock:
            known = self._by_id.get(execution_id)
            if known is None:
                if len(self._by_id) >= _MAX_IDS or self._waiting.full():
                    raise SessionFullError
                self._by_id[execution_id] = new
                self._waiting.put_nowait(new)
                return new
        if known.digest != new.digest:
            raise ExecutionConflictError
        return known

    def find(self, execution_id: str) -> QueuedExecution:
        """Return the execution with that id. Raises KeyError."""
        return self._by_id[execution_id]

    @property
    def busy(self) -> bool:
        """Return whether anything runs or waits."""
        return self._waiting.unfinished_tasks > 0

    def serve(self) -> None:
        """Run submitted executions forever, and check the kernel in between.

        Raises KernelBootError or TimeoutError when the session cannot go on.
        """
        self._supervisor.keep()
        self.ready.set()
        while True:
            try:
                execution = self._waiting.get(timeout=_IDLE_LOOK_SECONDS)
            except queue.Empty:
                self._supervisor.keep()
                continue
            execution.finish(
                self._supervisor.run(execution.code, execution.seconds, execution.cancelled)
            )
            self._waiting.task_done()
            self._forget_oldest()
            self._supervisor.keep()

    def _forget_oldest(self) -> None:
        """Drop the results of the oldest executions beyond the budget, never their ids."""
        weight = sum(result.weight for result in self._results())
        for execution in list(self._by_id.values()):
            if weight <= _MAX_KEPT_BYTES:
                return
            if execution.result is not None:
                weight -= execution.result.weight
                execution.result = None

    def _results(self) -> Iterator[Result]:
        for execution in list(self._by_id.values()):
            if execution.result is not None:
                yield execution.result
