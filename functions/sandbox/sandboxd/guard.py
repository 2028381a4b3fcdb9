"""Notices that the sandbox has outgrown its memory or its disk."""

from __future__ import annotations

import time

from . import processes
from .disk import DiskWatch
from .result import Reason

_EVERY_SECONDS = 0.1


class Guard:
    """Watches one kernel and all that it starts; asks Linux at most ten times a second."""

    def __init__(self, memory_bytes: int, disk: DiskWatch) -> None:
        """Start with a look at once."""
        self._memory_bytes, self._disk = memory_bytes, disk
        self._next_look = 0.0

    def look(self) -> Reason | None:
        """Return what is exceeded, if anything is and it is time to look."""
        now = time.monotonic()
        if now < self._next_look:
            return None
        self._next_look = now + _EVERY_SECONDS
        if processes.resident_bytes() > self._memory_bytes:
            return "memory"
        return "disk" if self._disk.exceeded() else None
