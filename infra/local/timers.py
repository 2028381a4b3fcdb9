"""One thread that calls functions later, for timeouts, retries and schedules."""

import heapq
import itertools
import threading
import time
from collections.abc import Callable


class Timers:
    """Call each function once, when it is due. The functions must not block."""

    def __init__(self) -> None:
        self._waiting: list[tuple[float, int, Callable[[], object]]] = []
        self._count = itertools.count()
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="timers", daemon=True)
        self._thread.start()

    def call_later(self, seconds: float, function: Callable[[], object]) -> None:
        entry = (time.monotonic() + seconds, next(self._count), function)
        with self._changed:
            heapq.heappush(self._waiting, entry)
            if self._waiting[0] is entry:
                self._changed.notify()

    def close(self) -> None:
        """Cancel all calls that are not yet due."""
        with self._changed:
            self._closed = True
            self._waiting.clear()
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        while function := self._next():
            function()

    def _next(self) -> Callable[[], object] | None:
        with self._changed:
            while not self._closed:
                due = self._waiting[0][0] - time.monotonic() if self._waiting else None
                if due is not None and due <= 0:
                    return heapq.heappop(self._waiting)[2]
                self._changed.wait(due)
        return None
