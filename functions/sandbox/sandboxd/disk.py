"""The disk space that a kernel has taken, measured by one statvfs(2) most of the time."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from . import unnamed
from .identity import Identity
from .tree import scan

_NOTICED_BYTES = 64 << 20


class DiskWatch:
    """Detect when a kernel has taken more than its share of the disk."""

    def __init__(self, directories: Sequence[Path], limit_bytes: int, identity: Identity) -> None:
        """Start from the present usage: a new kernel may inherit a full directory and empty it."""
        self._directories, self._identity = directories, identity
        self._limit = limit_bytes
        self._free_at_start = self._free_when_measured = self._free()
        self._used_at_start = self._used = self._measure()
        self._allowed = max(limit_bytes, self._used_at_start + _NOTICED_BYTES)

    def exceeded(self) -> bool:
        """Return whether the files, or open files without a name, have outgrown the limit."""
        free = self._free()
        if free < self._free_when_measured - _NOTICED_BYTES:
            self._used, self._free_when_measured = self._measure(), free
        return self._used > self._allowed or self._unnamed_exceeded(free)

    def _unnamed_exceeded(self, free: int) -> bool:
        """Return whether space is gone that neither files nor other processes explain.

        It counts as the code's if some of its files may have been overlooked.
        """
        unexplained = (self._free_at_start - free) - (self._used - self._used_at_start)
        if unexplained <= self._limit:
            return False
        found = unnamed.bytes_used() if self._whole else None
        if found is not None and found <= self._limit:
            self._free_at_start -= unexplained
            return False
        return True

    def _free(self) -> int:
        devices = {d.stat().st_dev: os.statvfs(d) for d in self._directories}
        return sum(device.f_bavail * device.f_frsize for device in devices.values())

    def _measure(self) -> int:
        with self._identity.assumed():
            trees = [scan(directory) for directory in self._directories]
        self._whole = all(tree.whole for tree in trees)
        return sum(tree.bytes_used for tree in trees)
