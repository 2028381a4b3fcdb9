"""The system call filter of a kernel process and its children.

It allows by default and refuses by name. libseccomp translates names to numbers, so that the same
lists hold on x86-64 and arm64; a call in a foreign ABI (x32, i386) is refused whole.
"""

from __future__ import annotations

import ctypes
import errno
import socket
import stat
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from . import linux

_ALLOW = 0x7FFF0000
_ERRNO = 0x00050000
_ATTRIBUTE_BAD_ARCHITECTURE = 2
_EQUAL_UNDER_MASK = 7
_NOT_EQUAL = 1
_NO_SUCH_NAME = -1
_NOT_ON_THIS_ARCHITECTURE = -errno.EDOM
_SAME_AS_DEFAULT = -errno.EACCES

# A paragraph each: other processes, file systems, the kernel, credentials, network, memory.
NOT_PERMITTED = """
ptrace process_vm_readv process_vm_writev pidfd_getfd pidfd_open kcmp process_madvise

mount umount2 pivot_root chroot fsopen fsconfig fsmount fspick move_mount open_tree mount_setattr
unshare setns open_by_handle_at name_to_handle_at fanotify_init fanotify_mark quotactl quotactl_fd
swapon swapoff acct lookup_dcookie ustat sysfs uselib

bpf perf_event_open init_module finit_module delete_module kexec_load kexec_file_load reboot syslog
personality iopl ioperm modify_ldt vhangup nfsservctl settimeofday clock_settime clock_adjtime
adjtimex sethostname setdomainname

add_key keyctl request_key setuid setgid setreuid setregid setresuid setresgid setgroups setfsuid
setfsgid capset

bind listen accept accept4 connect

userfaultfd vmsplice memfd_secret migrate_pages move_pages
"""

# Programs fall back when these do not exist: glibc to clone, whose flags a filter can see;
# io_uring would open sockets past the filter. Memory of the other lines has no owner that a
# watch could count, and System V objects outlive their maker.
ABSENT = """
clone3 io_uring_setup io_uring_enter io_uring_register
memfd_create shmget semget msgget mq_open
"""

_NEW_NAMESPACES = (
    linux.CLONE_NEWNS,
    linux.CLONE_NEWCGROUP,
    linux.CLONE_NEWUTS,
    linux.CLONE_NEWIPC,
    linux.CLONE_NEWUSER,
    linux.CLONE_NEWPID,
    linux.CLONE_NEWNET,
)
_TERMINAL_INJECTION = (0x5412, 0x541C)  # TIOCSTI, TIOCLINUX
_FILE_TYPE = 0o170000  # S_IFMT
_DEVICES = (stat.S_IFBLK, stat.S_IFCHR)
# A pair of these could still send to any named socket of the host.
_DATAGRAM_TYPES = (socket.SOCK_DGRAM, socket.SOCK_RAW)


class ArgumentComparison(ctypes.Structure):
    """`struct scmp_arg_cmp`: a condition on one argument of a call."""

    _fields_ = (
        ("argument", ctypes.c_uint),
        ("operator", ctypes.c_int),
        ("a", ctypes.c_uint64),
        ("b", ctypes.c_uint64),
    )


class Rule(NamedTuple):
    """A call that fails with `code` when all conditions hold."""

    name: str
    code: int
    conditions: tuple[tuple[int, int, int, int], ...] = ()


def rules() -> Iterator[Rule]:
    """Yield every rule of the filter."""
    for name in NOT_PERMITTED.split():
        yield Rule(name, errno.EPERM)
    for name in ABSENT.split():
        yield Rule(name, errno.ENOSYS)
    # This error reads well in the messages of urllib, requests and pip.
    yield Rule("socket", errno.EAFNOSUPPORT)
    yield from _rules_on_arguments()


def _rules_on_arguments() -> Iterator[Rule]:
    yield Rule("socketpair", errno.EAFNOSUPPORT, ((0, _NOT_EQUAL, socket.AF_UNIX, 0),))
    for kind in _DATAGRAM_TYPES:
        yield Rule("socketpair", errno.EAFNOSUPPORT, ((1, _EQUAL_UNDER_MASK, 0xF, kind),))
    for flag in _NEW_NAMESPACES:
        yield Rule("clone", errno.EPERM, ((0, _EQUAL_UNDER_MASK, flag, flag),))
    for device in _DEVICES:
        yield Rule("mknod", errno.EPERM, ((1, _EQUAL_UNDER_MASK, _FILE_TYPE, device),))
        yield Rule("mknodat", errno.EPERM, ((2, _EQUAL_UNDER_MASK, _FILE_TYPE, device),))
    for request in _TERMINAL_INJECTION:
        yield Rule("ioctl", errno.EPERM, ((1, _EQUAL_UNDER_MASK, 0xFFFFFFFF, request),))


def _library() -> ctypes.CDLL:
    library = ctypes.CDLL("libseccomp.so.2", use_errno=True)
    library.seccomp_init.restype = ctypes.c_void_p
    library.seccomp_arch_native.restype = ctypes.c_uint32
    library.seccomp_init.argtypes = [ctypes.c_uint32]
    library.seccomp_rule_add_array.argtypes = [
        ctypes.c_void_p,
        ctypes.c_uint32,
        ctypes.c_int,
        ctypes.c_uint,
        ctypes.POINTER(ArgumentComparison),
    ]
    library.seccomp_attr_set.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_uint32]
    library.seccomp_load.argtypes = library.seccomp_release.argtypes = [ctypes.c_void_p]
    library.seccomp_arch_add.argtypes = library.seccomp_arch_remove.argtypes = [
        ctypes.c_void_p,
        ctypes.c_uint32,
    ]
    library.seccomp_export_bpf.argtypes = [ctypes.c_void_p, ctypes.c_int]
    return library


class Filter:
    """A filter under construction. Raises OSError if libseccomp is missing or refuses."""

    def __init__(self, architecture: int | None = None) -> None:
        """Start an empty filter for this machine or for an `AUDIT_ARCH_*` number."""
        self._library = _library()
        self._context = self._library.seccomp_init(_ALLOW)
        native = self._library.seccomp_arch_native()
        if architecture not in (None, native):
            self._check(self._library.seccomp_arch_add(self._context, architecture), "add")
            self._check(self._library.seccomp_arch_remove(self._context, native), "remove")
        self._check(
            self._library.seccomp_attr_set(
                self._context, _ATTRIBUTE_BAD_ARCHITECTURE, _ERRNO | errno.ENOSYS
            ),
            "bad architecture",
        )

    def add(self, rule: Rule) -> None:
        """Add one rule; skip a name that this libseccomp or this architecture lacks."""
        number = self._library.seccomp_syscall_resolve_name(rule.name.encode())
        if number == _NO_SUCH_NAME:
            return
        comparisons = [ArgumentComparison(*condition) for condition in rule.conditions]
        conditions = (ArgumentComparison * len(comparisons))(*comparisons)
        result = self._library.seccomp_rule_add_array(
            self._context, _ERRNO | rule.code, number, len(rule.conditions), conditions
        )
        if result not in (_NOT_ON_THIS_ARCHITECTURE, _SAME_AS_DEFAULT):
            self._check(result, rule.name)

    def load(self) -> None:
        """Put the filter on the calling process, irrevocably."""
        self._check(self._library.seccomp_load(self._context), "load")
        self._library.seccomp_release(self._context)

    def export(self, file: BinaryIO) -> None:
        """Write the filter's BPF program."""
        self._check(self._library.seccomp_export_bpf(self._context, file.fileno()), "export")

    @staticmethod
    def _check(result: int, what: str) -> None:
        if result < 0:
            raise OSError(-result, "seccomp", what)


def restrict() -> None:
    """Put all rules on the calling process. Raises OSError: no code may run without them."""
    system_calls = Filter()
    for rule in rules():
        system_calls.add(rule)
    system_calls.load()
