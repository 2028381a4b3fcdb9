"""What a process that reads a foreign file can never ask Linux for: a seccomp filter.

It refuses by number, without a library, as Lambda's Python has none for it. What is left are
reading and writing what is open, memory and ending; a parser that is taken over can open, start,
reach, change and remove nothing. Lambda refuses the filter, as it does most of `prctl`: there the
limits of the process and of its network must do.
"""

import ctypes
import platform
import struct
from collections.abc import Mapping
from itertools import chain
from typing import Any, NamedTuple

# Number on x86-64 and on arm64, as in Linux's unistd.h; arm64 never had some of the older ones.
REFUSED: Mapping[str, tuple[int, int | None]] = {
    # the network
    "socket": (41, 198), "socketpair": (53, 199), "connect": (42, 203), "bind": (49, 200),
    "listen": (50, 201), "accept": (43, 202), "accept4": (288, 242),
    # other programs and processes
    "execve": (59, 221), "execveat": (322, 281), "fork": (57, None), "vfork": (58, None),
    "clone": (56, 220), "clone3": (435, 435), "ptrace": (101, 117), "kill": (62, 129),
    "tkill": (200, 130), "tgkill": (234, 131), "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240), "pidfd_open": (434, 434), "pidfd_send_signal": (424, 424),
    "pidfd_getfd": (438, 438), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271),
    "prlimit64": (302, 261), "setpriority": (141, 140),
    # files, beyond those that are open
    "open": (2, None), "openat": (257, 56), "openat2": (437, 437), "creat": (85, None),
    "truncate": (76, 45), "ftruncate": (77, 46),
    "unlink": (87, None), "unlinkat": (263, 35), "rename": (82, None), "renameat": (264, 38),
    "renameat2": (316, 276), "link": (86, None), "linkat": (265, 37), "symlink": (88, None),
    "symlinkat": (266, 36), "mkdir": (83, None), "mkdirat": (258, 34), "rmdir": (84, None),
    "mknod": (133, None), "mknodat": (259, 33), "chmod": (90, None), "fchmod": (91, 52),
    "fchmodat": (268, 53), "fchmodat2": (452, 452), "chown": (92, None), "fchown": (93, 55),
    "lchown": (94, None), "fchownat": (260, 54), "setxattr": (188, 5), "lsetxattr": (189, 6),
    "fsetxattr": (190, 7), "utime": (132, None), "utimes": (235, None), "utimensat": (280, 88),
    "futimesat": (261, None), "mount": (165, 40), "umount2": (166, 39), "move_mount": (429, 429),
    "open_by_handle_at": (304, 265), "chroot": (161, 51), "pivot_root": (155, 41),
    # the kernel, and memory that outlives a process
    "unshare": (272, 97), "setns": (308, 268), "bpf": (321, 280), "perf_event_open": (298, 241),
    "userfaultfd": (323, 282), "io_uring_setup": (425, 425), "add_key": (248, 217),
    "request_key": (249, 218), "keyctl": (250, 219), "shmget": (29, 194), "semget": (64, 190),
    "msgget": (68, 186), "mq_open": (240, 180), "memfd_create": (319, 279),
}  # fmt: skip

_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000 | 1  # SECCOMP_RET_ERRNO with EPERM
_PERMISSION, _REFUSAL = (_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _REFUSE)
_NUMBER, _ARCHITECTURE = 0, 4  # of `struct seccomp_data`
_X32 = 0x40000000  # the bit of calls with 32-bit pointers
_DUMPABLE, _NO_NEW_PRIVILEGES, _SECCOMP, _FILTER = 4, 38, 22, 2  # of prctl


class Architecture(NamedTuple):
    """What the kernel calls it, and the column of its numbers above."""

    audit: int
    column: int


ARCHITECTURES = {
    "x86_64": Architecture(0xC000003E, 0),
    "aarch64": Architecture(0xC00000B7, 1),
}

Instruction = tuple[int, int, int, int]  # code, jump if true, jump if false, value


class _Program(ctypes.Structure):
    """`struct sock_fprog`."""

    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def program(architecture: Architecture) -> list[Instruction]:
    """Return the filter as classic BPF; it refuses every call of another architecture."""
    numbers = (columns[architecture.column] for columns in REFUSED.values())
    refusals = ([(_EQUAL, 0, 1, number), _REFUSAL] for number in numbers if number is not None)
    return [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 1, 0, architecture.audit),
        _REFUSAL,
        (_LOAD, 0, 0, _NUMBER),
        (_AT_LEAST, 0, 1, _X32),
        _REFUSAL,
        *chain.from_iterable(refusals),
        _PERMISSION,
    ]


def restrict() -> bool:
    """Put the filter on this process, for good. False where the platform has or allows none."""
    architecture = ARCHITECTURES.get(platform.machine())
    if architecture is None:
        return False
    packed = [struct.pack("=HBBI", *instruction) for instruction in program(architecture)]
    filter = _Program(len(packed), b"".join(packed))
    return _prctl(_NO_NEW_PRIVILEGES, 1) and _prctl(_SECCOMP, _FILTER, ctypes.byref(filter))


def hide() -> bool:
    """Keep other processes of the same user out of this one's memory and environment.

    False where the platform does not allow it.
    """
    return _prctl(_DUMPABLE, 0)


def _prctl(option: int, value: int, pointer: Any = None) -> bool:
    call = getattr(ctypes.CDLL(None), "prctl", None)
    zero = ctypes.c_ulong(0)
    return (
        call is not None and call(option, ctypes.c_ulong(value), pointer or zero, zero, zero) == 0
    )
