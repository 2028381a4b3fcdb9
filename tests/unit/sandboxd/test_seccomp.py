"""The system call filter as Linux would run it on both architectures, interpreted here."""

from __future__ import annotations

import ctypes
import errno
import operator
import socket
import struct
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from functions.sandbox.sandboxd import seccomp

AARCH64, X86_64, I386, ARM = 0xC00000B7, 0xC000003E, 0x40000003, 0x40000028
ALLOW = 0x7FFF0000
X32_BIT = 0x40000000
LOAD, AND, JUMP, RETURN = 0x20, 0x54, 0x05, 0x06
COMPARISONS = {0x15: operator.eq, 0x25: operator.gt, 0x35: operator.ge}


def refuse(code: int) -> int:
    return 0x00050000 | code


@dataclass(frozen=True)
class Call:
    """A system call as the kernel shows it to a filter: `struct seccomp_data`."""

    architecture: int
    number: int
    arguments: tuple[int, ...] = ()

    def packed(self) -> bytes:
        values = [*self.arguments, *[0] * (6 - len(self.arguments))]
        return struct.pack("<iIQ6Q", self.number, self.architecture, 0, *values)


def interpret(program: Sequence[tuple[int, int, int, int]], data: bytes) -> int:
    """Run classic BPF, of which filters use loads, masks, jumps and returns."""
    counter, accumulator = 0, 0
    while True:
        code, if_true, if_false, value = program[counter]
        counter += 1
        if code in COMPARISONS:
            counter += if_true if COMPARISONS[code](accumulator, value) else if_false
        elif code == JUMP:
            counter += value
        elif code == LOAD:
            accumulator = struct.unpack_from("<I", data, value)[0]
        elif code == AND:
            accumulator &= value
        else:
            assert code == RETURN, f"the filter has an unexpected instruction {code:#x}"
            return value


@pytest.fixture(scope="module", params=[X86_64, AARCH64], ids=["x86-64", "arm64"])
def architecture(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture(scope="module")
def program(architecture: int) -> list[tuple[int, int, int, int]]:
    system_calls = seccomp.Filter(architecture)
    for rule in seccomp.rules():
        system_calls.add(rule)
    with tempfile.TemporaryFile() as file:
        system_calls.export(file)
        file.seek(0)
        return list(struct.iter_unpack("<HBBI", file.read()))


def number(architecture: int, name: str) -> int:
    library = ctypes.CDLL("libseccomp.so.2")
    found = library.seccomp_syscall_resolve_name_arch(ctypes.c_uint32(architecture), name.encode())
    return int(found)


def decide(
    program: Sequence[tuple[int, int, int, int]], architecture: int, name: str, *arguments: int
) -> int:
    call = Call(architecture, number(architecture, name), arguments)
    assert call.number >= 0, f"{name} is no call of this architecture"
    return interpret(program, call.packed())


Program = list[tuple[int, int, int, int]]


def test_every_listed_call_is_refused(program: Program, architecture: int) -> None:
    listed = [(name, errno.EPERM) for name in seccomp.NOT_PERMITTED.split()]
    listed += [(name, errno.ENOSYS) for name in seccomp.ABSENT.split()]
    present = [row for row in listed if number(architecture, row[0]) >= 0]
    assert len(present) > 70
    for name, code in present:
        assert decide(program, architecture, name) == refuse(code), name


def test_no_family_of_sockets_is_left(program: Program, architecture: int) -> None:
    for family in range(64):
        decision = decide(program, architecture, "socket", family, 1, 0)
        assert decision == refuse(errno.EAFNOSUPPORT)


def test_socket_pairs_are_streams_between_processes(program: Program, architecture: int) -> None:
    def pair(family: int, kind: int) -> int:
        return decide(program, architecture, "socketpair", family, kind, 0, 0)

    flags = socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK
    for kind in (socket.SOCK_STREAM, socket.SOCK_SEQPACKET):
        assert pair(socket.AF_UNIX, kind | flags) == ALLOW
        assert pair(socket.AF_INET, kind) == refuse(errno.EAFNOSUPPORT)
    for kind in (socket.SOCK_DGRAM, socket.SOCK_RAW):
        assert pair(socket.AF_UNIX, kind | flags) == refuse(errno.EAFNOSUPPORT)


def test_processes_and_threads_start_but_no_namespaces(program: Program, architecture: int) -> None:
    thread = 0x3D0F00  # what pthread_create asks for
    assert decide(program, architecture, "clone", thread) == ALLOW
    assert decide(program, architecture, "clone", 17) == ALLOW
    for bit in (17, 25, 26, 27, 28, 29, 30):
        assert decide(program, architecture, "clone", 1 << bit | 17) == refuse(errno.EPERM)


def test_device_files_are_refused_and_fifos_are_not(program: Program, architecture: int) -> None:
    assert decide(program, architecture, "mknodat", 0, 0, 0o010600) == ALLOW
    for kind in (0o020000, 0o060000):
        assert decide(program, architecture, "mknodat", 0, 0, kind | 0o600) == refuse(errno.EPERM)


def test_typing_into_a_terminal_is_refused_whatever_the_high_bits(
    program: Program, architecture: int
) -> None:
    for request in (0x5412, 0x541C, 0xFFFFFFFF_00005412):
        assert decide(program, architecture, "ioctl", 0, request) == refuse(errno.EPERM)
    assert decide(program, architecture, "ioctl", 0, 0x5401) == ALLOW


@pytest.mark.parametrize(
    "name", ["read", "write", "openat", "mmap", "futex", "execve", "kill", "sendmsg", "recvmsg"]
)
def test_ordinary_calls_are_allowed(program: Program, architecture: int, name: str) -> None:
    assert decide(program, architecture, name) == ALLOW


def test_calls_in_a_foreign_abi_are_refused_whole(program: Program, architecture: int) -> None:
    foreign = {X86_64: [I386, AARCH64], AARCH64: [ARM, X86_64]}[architecture]
    for other in foreign:
        for call in range(500):
            assert interpret(program, Call(other, call).packed()) == refuse(errno.ENOSYS)


@pytest.mark.parametrize("architecture", [X86_64], ids=["x86-64"], scope="module")
def test_the_x32_abi_is_refused(program: Program, architecture: int) -> None:
    for call in range(600):
        decision = interpret(program, Call(X86_64, X32_BIT | call).packed())
        assert decision == refuse(errno.ENOSYS)
