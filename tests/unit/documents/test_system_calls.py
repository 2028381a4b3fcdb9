"""The real kernel refuses the system calls of a parser that was taken over."""

import ctypes
import errno
import subprocess
import sys
from pathlib import Path

import pytest

from assistants.documents.system_calls import ARCHITECTURES, REFUSED, program

ATTEMPT = """
import errno, os, resource, signal, socket, sys, threading
from assistants.documents.limits import Limits
from assistants.documents.system_calls import restrict
path, other = sys.argv[1:]
file = open(path)
{confine}
try:
    {statement}
except OSError as error:
    print(errno.errorcode[error.errno])
except (RuntimeError, ValueError) as error:
    print(error)
"""
FILTER = "assert restrict()"
# No limit counts the processes of root.
LIMITS = "os.getuid() or os.setuid(65534); Limits().apply()"
ATTEMPTS = {
    "reach": "socket.socket()",
    "reach a neighbour": "socket.socketpair()",
    "start": "os.execv('/bin/true', ['true'])",
    "fork": "os.fork()",
    "kill": "os.kill(os.getppid(), signal.SIGKILL)",
    "read": "open(path)",
    "write": "open(path, 'w')",
    "append": "open(path, 'a')",
    "write by its number": "os.open(path, os.O_RDWR)",
    "create": "open(other, 'x')",
    "truncate": "os.truncate(path, 0)",
    "remove": "os.unlink(path)",
    "rename": "os.rename(path, other)",
    "link": "os.link(path, other)",
    "symbolic link": "os.symlink(path, other)",
    "folder": "os.mkdir(other)",
    "mode": "os.chmod(path, 0o777)",
    "time": "os.utime(path)",
    "memory": "os.memfd_create('x')",
}
ATTEMPTS_WITHOUT_A_FILTER = {
    "reach": ("socket.socket()", "EMFILE"),
    "reach a neighbour": ("socket.socketpair()", "EMFILE"),
    "fork": ("os.fork()", "EAGAIN"),
    "thread": ("threading.Thread(target=print).start()", "can't start new thread"),
    "read": ("open(path)", "EMFILE"),
    "read of its parent": ("open(f'/proc/{os.getppid()}/environ')", "EMFILE"),
    "write": ("open(path, 'w')", "EMFILE"),
    "create": ("open(other, 'x')", "EMFILE"),
    "memory": ("os.memfd_create('x')", "EMFILE"),
    "hold its parent": ("os.pidfd_open(os.getppid())", "EMFILE"),
    "a higher limit": (
        "resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))",
        "not allowed to raise maximum limit",
    ),
}


def attempt(tmp_path: Path, statement: str, confine: str = FILTER) -> str:
    path = tmp_path / "file"
    path.write_text("kept")
    paths = map(str, (path, tmp_path / "other"))
    program = ATTEMPT.format(confine=confine, statement=statement)
    command = [sys.executable, "-c", program, *paths]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    assert path.read_text() == "kept"
    assert list(tmp_path.iterdir()) == [path]
    return answer.stdout.strip()


@pytest.mark.parametrize("statement", ATTEMPTS.values(), ids=ATTEMPTS)
def test_a_reader_can_do_nothing_but_read(tmp_path: Path, statement: str) -> None:
    assert attempt(tmp_path, statement) == "EPERM"


@pytest.mark.parametrize(
    ("statement", "refusal"),
    ATTEMPTS_WITHOUT_A_FILTER.values(),
    ids=ATTEMPTS_WITHOUT_A_FILTER,
)
def test_the_limits_alone_leave_a_reader_no_file_no_network_and_no_process(
    tmp_path: Path, statement: str, refusal: str
) -> None:
    assert attempt(tmp_path, statement, LIMITS) == refusal


@pytest.mark.parametrize("confine", [FILTER, LIMITS, f"{LIMITS}; {FILTER}"])
def test_a_reader_can_read_what_it_was_given(tmp_path: Path, confine: str) -> None:
    assert attempt(tmp_path, "print(file.read())", confine) == "kept"


NEIGHBOUR = """
import ctypes, os, sys
from assistants.documents.system_calls import hide
if os.getuid() == 0:
    os.setuid(65534)
    ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)  # PR_SET_DUMPABLE, as it is after an exec
if sys.argv[1] == "hidden":
    assert hide()
child = os.fork()
if child == 0:
    try:
        open(f"/proc/{os.getppid()}/environ", "rb").read()
        print("read")
    except PermissionError:
        print("refused")
else:
    os.waitpid(child, 0)
"""


@pytest.mark.parametrize(("state", "outcome"), [("hidden", "refused"), ("shown", "read")])
def test_a_process_of_the_same_user_sees_nothing_of_one_that_hides(
    state: str, outcome: str
) -> None:
    command = [sys.executable, "-c", NEIGHBOUR, state]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == outcome


def numbers(architecture: str) -> dict[str, int]:
    """By libseccomp, which knows the numbers of every architecture."""
    library = ctypes.CDLL("libseccomp.so.2")
    audit = ctypes.c_uint32(ARCHITECTURES[architecture].audit)
    return {
        name: library.seccomp_syscall_resolve_name_arch(audit, name.encode()) for name in REFUSED
    }


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_each_call_has_the_number_that_linux_gave_it(architecture: str) -> None:
    column = ARCHITECTURES[architecture].column
    ours = {name: columns[column] for name, columns in REFUSED.items()}
    known = {name: number for name, number in numbers(architecture).items() if number >= 0}
    assert {name: ours[name] for name in known} == known
    unknown = {name for name, number in ours.items() if number is not None} - known.keys()
    assert unknown <= {"fchmodat2"}  # of Linux 6.6, which an older libseccomp does not know


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_call_of_another_architecture_is_refused(architecture: str) -> None:
    _load, compare, refuse, *_ = program(ARCHITECTURES[architecture])
    assert compare[3] == ARCHITECTURES[architecture].audit
    assert refuse[3] & 0xFFFF == errno.EPERM
