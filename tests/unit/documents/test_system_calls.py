"""The real kernel refuses the system calls of a parser that was taken over."""

import ctypes
import errno
import subprocess
import sys
from pathlib import Path

import pytest

from assistants.documents.system_calls import ARCHITECTURES, REFUSED, program

ATTEMPT = """
import errno, os, signal, socket, sys
from assistants.documents.system_calls import restrict
path, other = sys.argv[1:]
assert restrict()
try:
    {}
except OSError as error:
    print(errno.errorcode[error.errno])
"""
ATTEMPTS = {
    "reach": "socket.socket()",
    "reach a neighbour": "socket.socketpair()",
    "start": "os.execv('/bin/true', ['true'])",
    "fork": "os.fork()",
    "kill": "os.kill(os.getppid(), signal.SIGKILL)",
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


def attempt(tmp_path: Path, statement: str) -> str:
    path = tmp_path / "file"
    path.write_text("kept")
    paths = map(str, (path, tmp_path / "other"))
    command = [sys.executable, "-c", ATTEMPT.format(statement), *paths]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    assert path.read_text() == "kept"
    assert list(tmp_path.iterdir()) == [path]
    return answer.stdout.strip()


@pytest.mark.parametrize("statement", ATTEMPTS.values(), ids=ATTEMPTS)
def test_a_reader_can_do_nothing_but_read(tmp_path: Path, statement: str) -> None:
    assert attempt(tmp_path, statement) == "EPERM"


def test_a_reader_can_read(tmp_path: Path) -> None:
    assert attempt(tmp_path, "print(open(path).read())") == "kept"


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
