"""Abuse 57-73: memory, processes, time and output end where the session's limits are."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from assistants.adapters.sandbox.client import ExecutionResult
from tests.abuse.attacks import (
    PRELUDE,
    Attempt,
    assert_contained,
    fails,
    prints,
    raises,
    stopped,
    table,
)
from tests.support.sandbox_platforms import Session

TIME = 0.4


def memory_runs_out(result: ExecutionResult) -> None:
    """Check that the code is refused memory, or that the watch is faster and ends the kernel."""
    assert (result.error, result.lost) == ("MemoryError", False) or (
        (result.reason, result.lost) == ("memory", True)
    ), result


MEMORY_AND_PROCESSES = [
    Attempt(
        57,
        "a fork bomb",
        "while True:\n    try: os.fork()\n    except OSError: time.sleep(0.01)",
        stopped("timeout", "protocol", "memory", "exited", lost=True),
        TIME,
    ),
    Attempt(
        58,
        "a thread bomb",
        "while True: threading.Thread(target=time.sleep, args=(30,), daemon=True).start()",
        raises("RuntimeError", "can't start new thread"),
    ),
    Attempt(60, "one huge allocation", "bytearray(8 << 30)", raises("MemoryError")),
    Attempt(
        61,
        "allocation without end",
        "hoard = []\n"
        "try:\n    while True: hoard.append(bytearray(b'x') * (10 << 20))\n"
        "finally: hoard.clear()",
        memory_runs_out,
    ),
    Attempt(
        62,
        "memory in many processes",
        "for _ in range(4):\n"
        "    if not os.fork():\n"
        "        mine = bytearray(b'x') * (200 << 20); time.sleep(30)\n"
        "time.sleep(30)",
        stopped("memory", lost=True),
        fresh=True,
    ),
    Attempt(
        63,
        "shared mappings",
        "import mmap\nshared = mmap.mmap(-1, 2 << 30)\n"
        "for n in range(0, 2 << 30, 4096): shared[n] = 1",
        stopped("memory", lost=True),
        fresh=True,
    ),
    Attempt(63, "memfd", "os.memfd_create('x'); escaped()", raises("OSError", "not implemented")),
    Attempt(
        63,
        "System V memory",
        "call('shmget', 0, 1 << 30, 0o1600); escaped()",
        raises("OSError", "not implemented"),
    ),
    Attempt(
        73,
        "filling /dev/shm",
        "with open('/dev/shm/x', 'wb') as f:\n"
        "    for _ in range(1000): f.write(bytes(1 << 20))\nescaped()",
        raises("OSError"),
    ),
    Attempt(
        73,
        "many files in /dev/shm",
        "for n in range(9): open(f'/dev/shm/{n}', 'wb').write(bytes(9 << 20))\nescaped()",
        raises("OSError"),
    ),
]

ORPHANS = Attempt(
    59,
    "hundreds of orphans that end",
    "for _ in range(300):\n"
    "    child = os.fork()\n"
    "    if not child: os.fork(); os._exit(0)\n"
    "    os.waitpid(child, 0)\n"
    "print('all started')",
    prints("all started"),
    seconds=60,
    fresh=True,
)

TIME_AND_OUTPUT = [
    Attempt(64, "a print flood", "while True: print('x' * 1000)", stopped("output", lost=False)),
    Attempt(65, "output of a subprocess", "!yes", stopped("output", lost=False)),
    Attempt(66, "an endless loop", "while True: pass", stopped("timeout", lost=False), TIME),
    Attempt(67, "sleep", "time.sleep(100)", stopped("timeout", lost=False), TIME),
    Attempt(67, "a sleeping command", "!sleep 100", stopped("timeout", lost=False), TIME),
    Attempt(68, "a long call in C", "sum(range(10**13))", stopped("timeout", lost=True), TIME),
    Attempt(
        69,
        "a swallowed interrupt",
        "while True:\n    try: time.sleep(9)\n    except KeyboardInterrupt: pass",
        stopped("timeout", lost=True),
        TIME,
    ),
    Attempt(
        70,
        "an ignored signal",
        "signal.signal(signal.SIGINT, signal.SIG_IGN); time.sleep(9)",
        stopped("timeout", lost=True),
        TIME,
    ),
    Attempt(
        71,
        "stopping itself",
        "os.kill(os.getpid(), signal.SIGSTOP)",
        stopped("timeout", lost=True),
        TIME,
    ),
    Attempt(72, "recursion", "def f(): f()\nf()", raises("RecursionError")),
    Attempt(72, "a recursion in C", "eval('(' * 100_000)", fails),
    Attempt(72, "a huge integer", "str(7 ** 10**5)", raises("ValueError", "integer string")),
    Attempt(
        72,
        "backtracking",
        "import re\nre.match('(a+)+$', 'a' * 40 + 'b')",
        stopped("timeout", lost=False),
        TIME,
    ),
]


@table([*MEMORY_AND_PROCESSES, ORPHANS])
def test_code_cannot_exhaust_the_host(sandbox: Session, attempt: Attempt) -> None:
    attempt.carry_out(sandbox)


@table(TIME_AND_OUTPUT)
def test_code_ends_when_its_time_or_output_does(sandbox: Session, attempt: Attempt) -> None:
    attempt.carry_out(sandbox)


def running(argument: str) -> list[str]:
    """Return the processes of this machine that have the argument."""
    found = []
    for process in Path("/proc").iterdir():
        try:
            if argument.encode() in (process / "cmdline").read_bytes().split(b"\0"):
                found.append(process.name)
        except OSError:
            continue
    return found


@pytest.mark.abuse(61)
def test_a_kernel_without_memory_can_still_make_room(sandbox: Session) -> None:
    sandbox.run("import os; os._exit(0)")
    # Mapped and never touched: the watch sees nothing of it.
    hoarding = """
import mmap
hoard = []
def fill(size):
    try:
        while True: hoard.append(mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE))
    except OSError as error:
        print(error)
fill(1 << 20)
fill(1 << 12)
"""
    full = sandbox.run(hoarding)
    assert "Cannot allocate memory" in full.logs
    refused = sandbox.run("x = bytearray(1 << 20)")
    assert (refused.error, refused.lost) == ("MemoryError", False)
    assert "MemoryError" in refused.logs
    assert sandbox.run("hoard.clear()").ok
    assert sandbox.run("print(len(bytearray(100 << 20)))").ok


@pytest.mark.abuse(59)
def test_a_daemonised_process_dies_with_its_kernel(sandbox: Session) -> None:
    marker = f"3{os.getpid()}.{sandbox.port}"
    daemonise = (
        "if not os.fork():\n"
        "    os.setsid()\n"
        f"    if not os.fork(): os.execvp('sleep', ['sleep', '{marker}'])\n"
        "    os._exit(0)\n"
        "os.wait()"
    )
    assert sandbox.run(PRELUDE + daemonise).ok
    while not running(marker):
        time.sleep(0.02)
    assert len(running(marker)) == 1
    result = sandbox.run("import os; os._exit(0)")
    assert_contained(sandbox, result)
    assert running(marker) == []


@pytest.mark.abuse(57)
def test_a_fork_chain_that_never_rests_dies_with_its_kernel(sandbox: Session) -> None:
    marker = f"4{os.getpid()}.{sandbox.port}"
    comet = (
        "if not os.fork():\n"
        "    os.setsid()\n"
        "    while True:\n"
        "        if os.fork(): os._exit(0)\n"
        "        time.sleep(0.0005)\n"
        "        if os.getpid() % 50 == 0 and not os.fork():\n"
        f"            os.execvp('sleep', ['sleep', '{marker}'])\n"
        "time.sleep(0.3)"
    )
    sandbox.run(PRELUDE + comet)
    result = sandbox.run("import os; os._exit(0)")
    assert_contained(sandbox, result)
    assert running(marker) == []
