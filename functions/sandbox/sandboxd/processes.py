"""Find, measure and kill the processes of the sandbox."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from .identity import Identity

_PROC = Path("/proc")
_PAUSE_SECONDS = 0.005
_STATE, _PARENT, _RESIDENT_PAGES = 0, 1, 21  # in /proc/PID/stat, counted after the name


def _stat(process: Path) -> list[str] | None:
    """Return the fields after a process's name, None if it has gone."""
    try:
        text = (process / "stat").read_text(errors="replace")
    except OSError:
        return None
    return text.rpartition(")")[2].split()


def _table() -> dict[int, list[str]]:
    if not _PROC.is_dir():
        return {}
    found = ((entry.name, _stat(entry)) for entry in _PROC.iterdir() if entry.name.isdigit())
    return {int(pid): fields for pid, fields in found if fields}


def descendants() -> dict[int, list[str]]:
    """Return the /proc/PID/stat fields of every process below this one.

    The daemon is their subreaper: a process whose parents have gone becomes its child, so
    none can leave the tree.
    """
    table = _table()
    children: dict[int, list[int]] = {}
    for pid, fields in table.items():
        children.setdefault(int(fields[_PARENT]), []).append(pid)
    below: dict[int, list[str]] = {}
    waiting = children.get(os.getpid(), [])
    while waiting:
        pid = waiting.pop()
        below[pid] = table[pid]
        waiting += children.get(pid, [])
    return below


def resident_bytes() -> int:
    """Return the memory of all processes of the sandbox; shared pages count for each."""
    pages = sum(int(fields[_RESIDENT_PAGES]) for fields in descendants().values())
    return pages * resource.getpagesize()


def count_of_own_user() -> int:
    """Return how many threads this user runs, which RLIMIT_NPROC counts together.

    Where they cannot be counted, it is as many as there may be.
    """
    if not _PROC.is_dir():
        return resource.getrlimit(resource.RLIMIT_NPROC)[0]
    uid, count = os.getuid(), 0
    for pid in _table():
        with suppress(OSError):
            tasks = _PROC / str(pid) / "task"
            if tasks.stat().st_uid == uid:
                count += sum(1 for _ in tasks.iterdir())
    return count


def _alive() -> Iterator[int]:
    for pid, fields in descendants().items():
        if fields[_STATE] not in "ZX":
            yield pid


def _signal_all(identity: Identity) -> None:
    """Send SIGKILL to everything at once, so that no fork can slip through."""
    if os.getpid() == 1:
        with suppress(ProcessLookupError):
            os.kill(-1, signal.SIGKILL)
    elif identity.uid is not None:
        subprocess.run(
            ["/bin/sh", "-c", "kill -9 -1"],
            check=False,
            user=identity.uid,
            group=identity.uid,
            extra_groups=[],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    else:
        _stop_and_kill()


def _stop_and_kill() -> None:
    """Do what one user can do to its own processes: stop them all, then kill them."""
    stopped: set[int] = set()
    while fresh := set(_alive()) - stopped:
        for pid in fresh:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
        stopped |= fresh
    for pid in stopped:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def end_all(kernel: subprocess.Popen[bytes], identity: Identity, patience: float = 5) -> None:
    """Kill the kernel and whatever it started; return when nothing is left of them.

    Raises TimeoutError when something still lives after `patience` seconds.
    """
    deadline = time.monotonic() + patience
    while True:
        if kernel.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(kernel.pid, signal.SIGKILL)
        _signal_all(identity)
        if kernel.poll() is not None and not descendants():
            return
        if time.monotonic() > deadline:
            raise TimeoutError("processes of the sandbox outlive SIGKILL")
        time.sleep(_PAUSE_SECONDS)
