"""The Linux system calls that Python's standard library lacks, called through the C library."""

from __future__ import annotations

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_CHILD_SUBREAPER = 36
PR_SET_NO_NEW_PRIVS = 38

CLONE_NEWNS = 0x00020000
CLONE_NEWCGROUP = 0x02000000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

ON_LINUX = sys.platform == "linux"
_libc = ctypes.CDLL(None, use_errno=True)


def checked(result: int, what: str = "") -> int:
    """Return a C result; raise OSError with errno's text if it is negative."""
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), what)
    return result


def prctl(option: int, value: int) -> None:
    """Set one attribute of the calling process. Raises OSError."""
    arguments = [ctypes.c_ulong(number) for number in (value, 0, 0, 0)]
    checked(_libc.prctl(option, *arguments), "prctl")


def syscall(number: int, *arguments: int | bytes | None) -> int:
    """Make a system call by number: integers as longs, bytes as pointers. Raises OSError."""
    _libc.syscall.restype = ctypes.c_long
    values = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    return checked(_libc.syscall(ctypes.c_long(number), *values), f"system call {number}")


def unshare(flags: int) -> None:
    """Move the calling process into new namespaces. Raises OSError."""
    checked(_libc.unshare(ctypes.c_int(flags)), "unshare")


def mount(source: str, target: str, kind: str | None, flags: int, options: str = "") -> None:
    """Mount `source` on `target`, see mount(2). Raises OSError."""
    encoded_kind = kind.encode() if kind else None
    result = _libc.mount(
        source.encode(), target.encode(), encoded_kind, ctypes.c_ulong(flags), options.encode()
    )
    checked(result, target)


def set_file_identity(uid: int, gid: int) -> None:
    """Let this *thread* open files as another user, see setfsuid(2).

    A thread of root that takes another file identity loses its file capabilities until it is
    root again. The calls report no failure, so the result is read back. Raises PermissionError.
    """
    _libc.setfsgid(ctypes.c_uint(gid))
    _libc.setfsuid(ctypes.c_uint(uid))
    unchanged = ctypes.c_uint(-1)
    now = (_libc.setfsuid(unchanged) % 2**32, _libc.setfsgid(unchanged) % 2**32)
    if now != (uid, gid):
        raise PermissionError(f"the file identity is {now}, not {(uid, gid)}")
