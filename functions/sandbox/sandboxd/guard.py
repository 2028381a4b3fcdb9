"""Detect that the sandbox has outgrown its memory or its disk."""

from __future__ import annotations

import time

from . import processes
from .disk import DiskWatch
from .result import Reason

_EVERY_SECONDS = 0.1


class Guard:
    """Watch one kernel and all that it starts, at most ten times a second."""

    def __init__(self, memory_bytes: int, disk: DiskWatch) -> None:
        """Check at the first call."""
        self._memory_bytes, self._disk = memory_bytes, disk
        self._next_check = 0.0

    def exceeded(self) -> Reason | None:
        """Return the exceeded resource, None if there is none or it is too early to check."""
        now = time.monotonic()
        if now < self._next_check:
            return None
        self._next_check = now + _EVERY_SECONDS
        if processes.resident_bytes() > self._memory_bytes:
            return "memory"
        return "disk" if self._disk.exceeded() else None
