"""The rights that a kernel process gives up before it runs its first line of foreign code."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import landlock, limits, linux, seccomp

_NICENESS = 5


@dataclass(frozen=True)
class Confinement:
    """The bounds of one kernel process. `uid` is None where the daemon is not root."""

    uid: int | None
    memory_bytes: int
    processes: int
    file_bytes: int
    readable: tuple[str, ...]
    writable: tuple[str, ...]

    @classmethod
    def from_message(cls, message: Mapping[str, Any]) -> Confinement:
        """Read back the JSON of `dataclasses.asdict`."""
        return cls(
            **{
                **message,
                "readable": tuple(message["readable"]),
                "writable": tuple(message["writable"]),
            }
        )


def confine(bounds: Confinement, parent: int) -> int:
    """Confine this process irrevocably; return the Landlock ABI in force (0: none).

    Raises OSError or PermissionError if a mechanism fails that the platform must have: then no code
    may run. Outside Linux only the resource limits apply.
    """
    os.umask(0o077)
    os.nice(_NICENESS)
    limits.restrict(
        memory_bytes=bounds.memory_bytes,
        processes=bounds.processes,
        file_bytes=bounds.file_bytes,
    )
    if not linux.ON_LINUX:
        return 0
    # The host's OOM killer should take this process first; some containers forbid this write.
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")
    if bounds.uid is not None:
        _become(bounds.uid)
    linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1)
    _die_with(parent)
    abi = landlock.restrict(bounds.readable, bounds.writable)
    seccomp.restrict()
    return abi


def _become(uid: int) -> None:
    """Switch to a user irrevocably."""
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    try:
        os.setuid(0)
    except PermissionError:
        return
    raise PermissionError("the sandbox could still become root")


def _die_with(parent: int) -> None:
    """Ask to be killed when the thread that started this process ends.

    A change of identity clears the request, so it comes after one.
    """
    linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        raise ProcessLookupError("the daemon has gone")
