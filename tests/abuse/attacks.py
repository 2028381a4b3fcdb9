"""The abuse list: what hostile code tries, and how a row of the tables below is carried out."""

from __future__ import annotations

import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pytest

from assistants.adapters.sandbox.client import ExecutionResult
from tests.support.sandbox_platforms import Session

NUMBERS = range(1, 88)
ESCAPED = "ESCAPED"

# What attackers would write for themselves first.
PRELUDE = """
import ctypes, os, resource, signal, socket, struct, subprocess, sys, threading, time
from pathlib import Path

daemon = os.getppid()

def escaped(*evidence):
    print("ESCA" "PED", *evidence)

def call(name, *arguments):
    number = ctypes.CDLL("libseccomp.so.2").seccomp_syscall_resolve_name(name.encode())
    return call_number(number, *arguments)

def call_number(number, *arguments):
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    values = [ctypes.c_long(a) if isinstance(a, int) else a for a in (number, *arguments)]
    result = libc.syscall(*values)
    if result == -1:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result

def control():
    for fd in map(int, os.listdir("/proc/self/fd")):
        try:
            if os.readlink(f"/proc/self/fd/{fd}").startswith("socket:"):
                return fd
        except OSError:
            continue

def frame(body):
    os.write(control(), struct.pack(">I", len(body)) + body)
"""

Expectation = Callable[[ExecutionResult], None]


def raises(error: str, text: str = "") -> Expectation:
    """Expect the code to fail with this exception and text, and the kernel to stay."""

    def check(result: ExecutionResult) -> None:
        assert (result.error, result.reason, result.lost) == (error, None, False), result.logs
        assert text in result.logs

    return check


def prints(text: str) -> Expectation:
    """Expect the code to reach its end, having printed this."""

    def check(result: ExecutionResult) -> None:
        assert (result.error, result.reason, result.lost) == (None, None, False), result.logs
        assert text in result.logs

    return check


def stopped(*reasons: str, lost: bool) -> Expectation:
    """Expect the daemon to step in for one of these reasons; variables are lost or kept."""

    def check(result: ExecutionResult) -> None:
        assert result.reason in reasons, result
        assert result.lost is lost

    return check


def fails(result: ExecutionResult) -> None:
    """Expect a failure, in whatever way the platform reports it."""
    assert not result.ok, result.logs


def anything(_: ExecutionResult) -> None:
    """Expect only what holds for every row."""


@dataclass(frozen=True)
class Attempt:
    """One row: what is tried, in code that calls escaped() on success, and how it must end."""

    number: int
    title: str
    code: str
    expect: Expectation
    seconds: float = 30
    only_x86: bool = False
    fresh: bool = False  # whether it needs a kernel that earlier rows have left nothing in

    def carry_out(self, sandbox: Session) -> None:
        """Run the code; whatever it did, the session keeps its secrets and goes on."""
        if self.only_x86 and platform.machine() != "x86_64":
            pytest.skip("only x86-64 has this second ABI")
        if self.fresh:
            sandbox.run("import os; os._exit(0)")
        result = sandbox.run(PRELUDE + self.code, self.seconds)
        self.expect(result)
        assert_contained(sandbox, result)


def assert_contained(sandbox: Session, result: ExecutionResult) -> None:
    """Check that nothing secret was printed and that the session goes on."""
    for secret in (ESCAPED, sandbox.canary, sandbox.token):
        assert secret not in result.logs, result.logs
    after = sandbox.run("print('still', 'here')")
    assert "still here" in after.logs, after


def table(attempts: Sequence[Attempt]) -> pytest.MarkDecorator:
    """Parametrize a test by the rows of a table."""
    rows = [
        pytest.param(
            attempt,
            id=f"{attempt.number:02} {attempt.title}",
            marks=pytest.mark.abuse(attempt.number),
        )
        for attempt in attempts
    ]
    return pytest.mark.parametrize("attempt", rows)
