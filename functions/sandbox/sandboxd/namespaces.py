"""A private view of the machine: its own data, /tmp, /dev/shm and processes, the rest read-only.

Home directories are hidden. It serves launchers that are not a container: a task on Fargate may not
create namespaces, and needs none. Root creates them as it is, other users inside a user namespace,
where those are allowed.
"""

from __future__ import annotations

import os
import signal
import struct
from collections.abc import Iterable, Sequence
from pathlib import Path

from . import linux
from .workspace import DATA, SCRATCH, SHARED_MEMORY

_MS_NOSUID, _MS_NODEV, _MS_BIND, _MS_REC, _MS_PRIVATE = 2, 4, 4096, 16384, 1 << 18
_MOUNT_SETATTR = 442  # the same on x86-64 and arm64
_AT_FDCWD, _AT_RECURSIVE = -100, 0x8000
_READ_ONLY = 1
_HIDDEN = ("/home", "/root")
_SHARED_MEMORY_OPTIONS = "size=64m,mode=1777"  # as much as a container gets
_EXIT_REFUSED = 1


def available(data: Path, scratch: Path, visible: Sequence[Path]) -> bool:
    """Return whether this process may enter a private view; try it in a child that ends."""
    if not linux.ON_LINUX:
        return False
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    try:
        enter(data, scratch, visible)
    except OSError:
        os._exit(_EXIT_REFUSED)
    os._exit(0)


def enter(data: Path, scratch: Path, visible: Sequence[Path]) -> None:
    """Go on as the first process of a private view; the caller's process waits for its end.

    `data` becomes /mnt/data and `scratch` /tmp. The `visible` directories stay visible even below
    hidden ones. Raises OSError if Linux refuses.
    """
    uid, gid = os.getuid(), os.getgid()
    flags = linux.CLONE_NEWNS | linux.CLONE_NEWPID | linux.CLONE_NEWIPC
    linux.unshare(flags if uid == 0 else flags | linux.CLONE_NEWUSER)
    if uid != 0:
        _map(uid, gid)
    _become_first_process()
    linux.mount("none", "/", None, _MS_REC | _MS_PRIVATE)
    rearrange(data, scratch, visible)
    linux.mount("proc", "/proc", "proc", _MS_NOSUID | _MS_NODEV)


def _map(uid: int, gid: int) -> None:
    """Stay the same user within the new user namespace."""
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1")
    Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1")


def _become_first_process() -> None:
    """Fork; the parent passes on the child's exit code, and neither outlives the other."""
    child = os.fork()
    if child:
        os._exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) & 0xFF)
    linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGKILL)


def rearrange(data: Path, scratch: Path, visible: Sequence[Path]) -> None:
    """Mount the directories; descriptors keep open those that get covered."""
    covered = [DATA.parent, *_to_hide(visible)]
    kept = {path: _grasp(path) for path in visible}
    sources = {DATA: _grasp(data), SCRATCH: _grasp(scratch)}
    for path in covered:
        _cover(path, "size=1m,mode=755")
    DATA.mkdir()
    for path in (p for p in visible if _below(p, covered)):
        path.mkdir(parents=True, exist_ok=True)
        _bind(kept[path], path)
    set_read_only("/", True, _AT_RECURSIVE)
    _cover(SHARED_MEMORY, _SHARED_MEMORY_OPTIONS)
    for target, source in sources.items():
        _bind(source, target)
        set_read_only(str(target), False)
    for path in (p for p in visible if _below(p, [SCRATCH])):
        path.mkdir(parents=True, exist_ok=True)
        _bind(kept[path], path)
        set_read_only(str(path), True)


def _to_hide(visible: Iterable[Path]) -> list[Path]:
    """Return the homes, and the visible paths' parents that another user could not enter."""
    closed = [
        ancestor
        for path in visible
        for ancestor in reversed(path.parents)
        if not ancestor.stat().st_mode & 0o001
    ]
    wanted = [path for path in (*map(Path, _HIDDEN), *closed) if path.is_dir()]
    return [path for path in dict.fromkeys(wanted) if not _below(path, set(wanted) - {path})]


def _below(path: Path, directories: Iterable[Path]) -> bool:
    return any(path.is_relative_to(directory) for directory in directories)


def _grasp(path: Path) -> str:
    return f"/proc/self/fd/{os.open(path, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)}"


def _cover(path: Path, options: str) -> None:
    linux.mount("tmpfs", str(path), "tmpfs", _MS_NOSUID | _MS_NODEV, options)


def _bind(source: str, target: Path) -> None:
    linux.mount(source, str(target), None, _MS_BIND | _MS_REC)


def set_read_only(path: str, value: bool, flags: int = 0) -> None:
    """Make a mount read-only, or writable again."""
    attributes = struct.pack("4Q", _READ_ONLY * value, _READ_ONLY * (not value), 0, 0)
    arguments = (path.encode(), flags, attributes, len(attributes))
    linux.syscall(_MOUNT_SETATTR, _AT_FDCWD, *arguments)
