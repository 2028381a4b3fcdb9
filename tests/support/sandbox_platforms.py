"""The platforms of the tests, and how a session is started on each."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from assistants.adapters.sandbox.client import ExecutionResult, SandboxClient

REPOSITORY = Path(__file__).parents[2]
DAEMON = REPOSITORY / "functions" / "sandbox"
# Another interpreter to test, such as the image's: SANDBOX_TEST_PYTHON=/path/to/python.
PYTHON = os.environ.get("SANDBOX_TEST_PYTHON", sys.executable)
# Nobody's; a user for each session, for several suites may run on one machine.
_FIRST_UID, _UIDS = 1_800_000_000, 1 << 24

# Small and impatient, so that abuse is stopped soon; nothing preloaded, so that kernels restart
# in a tenth of a second.
LIMITS = {
    "MEMORY_MB": "500",
    "DISK_MB": "150",
    "FILE_MB": "60",
    "PROCESSES": "64",
    "GRACE_SECONDS": "1.5",
    "PRELOAD": "",
}

# root: `make up` by root; user: by somebody else. Fargate: see platform_launch.
KINDS = ("root", "fargate", "user")


@dataclass
class Session:
    """A running daemon, and what only its tests know."""

    kind: str
    process: subprocess.Popen[bytes]
    port: int
    token: str
    canary: str  # a secret in the environment of the daemon
    client: SandboxClient
    count: int = field(default=0)

    def run(self, code: str, seconds: float = 30) -> ExecutionResult:
        """Execute code under a fresh id."""
        self.count += 1
        return self.client.run(f"execution-{self.count}", code, seconds)

    def http(
        self, method: str, path: str, body: bytes | None = None, **headers: str
    ) -> tuple[int, Any]:
        """Send a request without a client's good manners; the path goes as it is."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            fields = {"Authorization": f"Bearer {self.token}", **headers}
            connection.request(method, path, body, fields)
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        finally:
            connection.close()


def _environment(settings: Mapping[str, str], token: str, canary: str) -> dict[str, str]:
    values = {
        "TOKEN_SHA256": hashlib.sha256(token.encode()).hexdigest(),
        "PORT": "0",
        "EXIT_WITH_STDIN": "1",
        **LIMITS,
        **settings,
    }
    return {
        "PATH": "/usr/bin:/bin",
        "CANARY": canary,
        **{f"SANDBOX_{name}": value for name, value in values.items()},
    }


def _command(kind: str, directory: Path) -> tuple[list[str], dict[str, str]]:
    """Return the command of a platform and its settings."""
    data, scratch = directory / "data", directory / "scratch"
    root, uid = os.geteuid() == 0, str(_FIRST_UID + secrets.randbelow(_UIDS))
    if kind == "root" or not root:
        settings = {"WORK": str(data), "SCRATCH": str(scratch), **({"UID": uid} if root else {})}
        return [PYTHON, "-m", "sandboxd"], settings
    launch = [
        PYTHON,
        "-m",
        "tests.support.sandbox_platform_launch",
        kind,
        uid,
        str(data),
        str(scratch),
    ]
    places = {"WORK": "/tmp/data", "SCRATCH": "/tmp/scratch"}
    return launch, {"UID": uid} if kind == "fargate" else places


@contextmanager
def session(kind: str, **settings: str) -> Iterator[Session]:
    """Start a daemon on a platform; end it and remove its files."""
    if kind in ("root", "fargate") and os.geteuid() != 0:
        pytest.skip(f"the platform '{kind}' needs root")
    directory = Path(tempfile.mkdtemp(prefix="sandbox-test-"))
    directory.chmod(0o711)
    for name in ("data", "scratch"):
        (directory / name).mkdir()
    command, places = _command(kind, directory)
    token, canary = secrets.token_hex(16), secrets.token_hex(16)
    process = subprocess.Popen(
        command,
        cwd=DAEMON if command[-1] == "sandboxd" else REPOSITORY,
        env=_environment({**places, **settings}, token, canary),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdin and process.stdout
    try:
        line = process.stdout.readline()
        assert line, f"the daemon ended with {process.wait()}"
        port = json.loads(line)["port"]
        client = SandboxClient(f"http://127.0.0.1:{port}", token)
        yield Session(kind, process, port, token, canary, client)
    finally:
        process.stdin.close()
        process.wait(10)
        process.stdout.close()
        subprocess.run(["rm", "-rf", str(directory)], check=True)
