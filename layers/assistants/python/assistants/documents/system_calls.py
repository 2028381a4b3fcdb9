"""A seccomp filter: the system calls that a parser of a user's file can never make.

It refuses by number, without a library, as Lambda's Python has none for it. What is left are
reading, memory and ending; a parser that is taken over can start, reach, change and remove nothing.
"""

import ctypes
import platform
import struct
from collections.abc import Mapping
from itertools import chain
from typing import NamedTuple

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
    # files, beyond reading them; openat2 has its flags where no filter can see them
    "openat2": (437, 437), "creat": (85, None), "truncate": (76, 45), "ftruncate": (77, 46),
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

FOR_WRITING = 0o1 | 0o2 | 0o100 | 0o1000  # O_WRONLY, O_RDWR, O_CREAT, O_TRUNC

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000 | 1  # SECCOMP_RET_ERRNO with EPERM
_PERMISSION, _REFUSAL = (_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _REFUSE)
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16  # of `struct seccomp_data`
_X32 = 0x40000000  # the bit of calls with 32-bit pointers
_NO_NEW_PRIVILEGES, _SECCOMP, _FILTER = 38, 22, 2  # of prctl


class Architecture(NamedTuple):
    """A processor's numbers. `opens` maps calls that open a file to the position of their flags."""

    audit: int
    column: int
    opens: Mapping[int, int]


ARCHITECTURES = {
    "x86_64": Architecture(0xC000003E, 0, {2: 1, 257: 2}),
    "aarch64": Architecture(0xC00000B7, 1, {56: 2}),
}

Instruction = tuple[int, int, int, int]  # code, jump if true, jump if false, value


class _Program(ctypes.Structure):
    """`struct sock_fprog`."""

    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def program(architecture: Architecture) -> list[Instruction]:
    """Return the filter as classic BPF; it refuses every call of another architecture."""
    numbers = (columns[architecture.column] for columns in REFUSED.values())
    refusals = ([(_EQUAL, 0, 1, number), _REFUSAL] for number in numbers if number is not None)
    openings = (_opening(number, flags) for number, flags in architecture.opens.items())
    return [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 1, 0, architecture.audit),
        _REFUSAL,
        (_LOAD, 0, 0, _NUMBER),
        (_AT_LEAST, 0, 1, _X32),
        _REFUSAL,
        *chain.from_iterable(refusals),
        *chain.from_iterable(openings),
        _PERMISSION,
    ]


def _opening(number: int, flags: int) -> list[Instruction]:
    return [
        (_EQUAL, 0, 4, number),
        (_LOAD, 0, 0, _ARGUMENTS + 8 * flags),  # the low half: both architectures are little-endian
        (_ANY_BIT, 0, 1, FOR_WRITING),
        _REFUSAL,
        _PERMISSION,
    ]


def restrict() -> bool:
    """Apply the filter to this process for good. Return False where the platform has none."""
    architecture = ARCHITECTURES.get(platform.machine())
    prctl = getattr(ctypes.CDLL(None, use_errno=True), "prctl", None)
    if architecture is None or prctl is None:
        return False
    packed = [struct.pack("=HBBI", *instruction) for instruction in program(architecture)]
    filter = _Program(len(packed), b"".join(packed))
    zero, one = ctypes.c_ulong(0), ctypes.c_ulong(1)
    if prctl(_NO_NEW_PRIVILEGES, one, zero, zero, zero) != 0:
        return False
    return bool(prctl(_SECCOMP, ctypes.c_ulong(_FILTER), ctypes.byref(filter)) == 0)
