"""Abuse 16-27: the daemon's memory, environment, descriptors and port are out of reach."""

import pytest

from tests.abuse.attacks import (
    PRELUDE,
    Attempt,
    anything,
    assert_contained,
    fails,
    prints,
    raises,
    table,
)
from tests.support.sandbox_platforms import Session

EPERM = raises("PermissionError", "Operation not permitted")
EACCES = raises("PermissionError", "Permission denied")

DAEMON = [
    Attempt(16, "its environment", "print(open(f'/proc/{daemon}/environ').read())", EACCES),
    Attempt(17, "its memory", "open(f'/proc/{daemon}/mem', 'rb'); escaped()", EACCES),
    Attempt(18, "its descriptors", "escaped(os.listdir(f'/proc/{daemon}/fd'))", EACCES),
    Attempt(19, "the environment of process 1", "print(open('/proc/1/environ').read())", EACCES),
    Attempt(20, "ptrace", "call('ptrace', 16, daemon, 0, 0); escaped()", EPERM),
    Attempt(
        21,
        "process_vm_readv",
        "call('process_vm_readv', daemon, 0, 0, 0, 0, 0); escaped()",
        EPERM,
    ),
    Attempt(22, "pidfd_open", "call('pidfd_open', daemon, 0); escaped()", EPERM),
    Attempt(22, "pidfd_getfd", "call('pidfd_getfd', 0, 0, 0); escaped()", EPERM),
    Attempt(23, "killing it", "os.kill(daemon, signal.SIGKILL)", EPERM),
    Attempt(23, "killing everything", "os.kill(-1, signal.SIGSTOP)", anything, seconds=1),
    Attempt(
        24,
        "secrets in the own environment",
        "print(os.environ, subprocess.run('env', capture_output=True))\n"
        "print([name for name in os.environ if 'SANDBOX' in name or 'AWS' in name])",
        prints("[]"),
    ),
    Attempt(
        25,
        "inherited descriptors",
        "kinds = []\n"
        "for fd in os.listdir('/proc/self/fd'):\n"
        "    try: kinds.append(os.readlink(f'/proc/self/fd/{fd}').split(':')[0])\n"
        "    except OSError: pass\n"
        "print(sorted(k for k in kinds if k != f'/proc/{os.getpid()}/fd'))",
        prints("['/dev/null', 'pipe', 'pipe', 'socket']"),
    ),
    Attempt(
        26,
        "secrets in command lines",
        "for path in Path('/proc').glob('[0-9]*/cmdline'):\n"
        "    try: print(path.read_bytes())\n"
        "    except OSError: pass",
        anything,
    ),
]


@table(DAEMON)
def test_code_cannot_touch_the_daemon(sandbox: Session, attempt: Attempt) -> None:
    attempt.carry_out(sandbox)


@pytest.mark.abuse(27)
def test_code_cannot_connect_to_the_daemon(sandbox: Session) -> None:
    code = f"socket.create_connection(('127.0.0.1', {sandbox.port})); escaped()"
    result = sandbox.run(PRELUDE + code)
    fails(result)
    assert_contained(sandbox, result)
