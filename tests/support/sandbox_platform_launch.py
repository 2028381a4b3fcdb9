"""Turns this process into a platform of the tests, then into the daemon.

Run by root as `python -m tests.support.sandbox_platform_launch KIND UID DATA SCRATCH`, KIND one of:

- `fargate`: root with four capabilities on a read-only image; no Landlock, no namespaces;
- `user`: somebody who is not root;
- `bare`: somebody who is not root, on a kernel without Landlock and namespaces.
"""

from __future__ import annotations

import ctypes
import errno
import os
import sys
from pathlib import Path

from functions.sandbox.sandboxd import linux, namespaces, seccomp

_DAEMON = Path(__file__).parents[2] / "functions" / "sandbox"
_MS_REC, _MS_PRIVATE = 1 << 14, 1 << 18
_PR_CAPBSET_DROP = 24
_LAST_CAPABILITY = 40
_CHOWN, _KILL, _SETGID, _SETUID = 0, 5, 6, 7
_LANDLOCK = ("landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self")


def show_interpreter(data: Path, scratch: Path) -> None:
    """Make this process's machine read-only, and let anybody run this interpreter on it."""
    visible = [Path(sys.prefix), Path(sys.base_prefix), _DAEMON]
    namespaces.rearrange(data, scratch, visible)
    namespaces.set_read_only("/proc", False)


def give_own_disk(directory: Path) -> None:
    """Mount a disk of its own, as a task has one."""
    linux.mount("tmpfs", str(directory), "tmpfs", 0, "size=1g")


def take_away_kernel_features() -> None:
    """Behave as a kernel without Landlock that refuses namespaces."""
    system_calls = seccomp.Filter()
    for name in _LANDLOCK:
        system_calls.add(seccomp.Rule(name, errno.ENOSYS))
    system_calls.add(seccomp.Rule("unshare", errno.EPERM))
    system_calls.load()


def drop_capabilities() -> None:
    """Keep the four that the task definition keeps."""
    libc = ctypes.CDLL(None, use_errno=True)
    for capability in set(range(_LAST_CAPABILITY + 1)) - {_CHOWN, _KILL, _SETGID, _SETUID}:
        libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)


def become_somebody(uid: int) -> None:
    """Stop being root."""
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)


def main() -> None:
    """Become the platform and the daemon."""
    kind, uid = sys.argv[1], int(sys.argv[2])
    data, scratch = map(Path, sys.argv[3:])
    linux.unshare(linux.CLONE_NEWNS)
    linux.mount("none", "/", None, _MS_REC | _MS_PRIVATE)
    if kind == "fargate":
        for directory in (data, scratch):
            give_own_disk(directory)
        show_interpreter(data, scratch)
        take_away_kernel_features()
        drop_capabilities()
    else:
        # All that this user has is below /tmp.
        os.chown(scratch, uid, uid)
        show_interpreter(data, scratch)
        if kind == "bare":
            take_away_kernel_features()
        become_somebody(uid)
    os.chdir(_DAEMON)
    os.execv(sys.executable, [sys.executable, "-m", "sandboxd"])


if __name__ == "__main__":
    main()
