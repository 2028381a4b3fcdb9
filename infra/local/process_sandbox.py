"""Code interpreter sessions as processes of this machine, where Fargate is not."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import secrets
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from assistants.adapters.sandbox.client import SandboxClient

_LOGGER = logging.getLogger(__name__)
_ENDING_SECONDS = 10
# Each session of root gets a user of its own, far from all that systems give out.
_FIRST_UID, _UIDS = 1_900_000_000, 1 << 24


class SandboxLaunchError(Exception):
    """Raised when the daemon does not come up."""


@dataclass(frozen=True)
class ProcessSession:
    """A daemon that runs: where it listens and what opens it."""

    base_url: str
    token: str
    process: subprocess.Popen[bytes]
    directory: Path

    def client(self) -> SandboxClient:
        """Return a client of this session."""
        return SandboxClient(self.base_url, self.token)

    def end(self) -> None:
        """End the session and remove its files."""
        assert self.process.stdin is not None  # noqa: S101  (opened as a pipe)
        self.process.stdin.close()
        try:
            self.process.wait(_ENDING_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        directory = str(self.directory)
        # Code may have locked a directory away, even from the user that it belongs to.
        subprocess.run(["chmod", "-Rf", "u+rwX", "--", directory], check=False)  # noqa: S603, S607
        # Not shutil: hostile trees are deeper than Python recurses.
        subprocess.run(["rm", "-rf", "--", directory], check=True)  # noqa: S603, S607


class ProcessSandbox:
    """Start sessions; each dies with the process that started it.

    `daemon` is the directory that holds the package `sandboxd`. `settings` are variables of
    its SANDBOX_* settings, without the prefix.
    """

    def __init__(
        self, daemon: Path, settings: Mapping[str, str] | None = None, python: str = sys.executable
    ) -> None:
        """Start nothing yet."""
        self._daemon, self._python = daemon, python
        self._settings = dict(settings or {})

    def launch(self, token: str | None = None) -> ProcessSession:
        """Start a session that opens to `token`, or to a new one; its kernel comes up in the
        background. Raises SandboxLaunchError.
        """
        token = token or secrets.token_urlsafe(32)
        directory = Path(tempfile.mkdtemp(prefix="sandbox-"))
        # The sandbox's user has to pass through it where the daemon has no private view.
        directory.chmod(0o711)
        process = subprocess.Popen(  # noqa: S603  (our own arguments)
            [self._python, "-m", "sandboxd"],
            cwd=self._daemon,
            env=self._environment(token, directory),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        session = ProcessSession("", token, process, directory)
        try:
            port = _await_port(process)
        except SandboxLaunchError:
            session.end()
            raise
        threading.Thread(target=_relay, args=(process,), daemon=True).start()
        return replace(session, base_url=f"http://127.0.0.1:{port}")

    def _environment(self, token: str, directory: Path) -> dict[str, str]:
        settings = {
            "TOKEN_SHA256": hashlib.sha256(token.encode()).hexdigest(),
            "PORT": "0",
            "WORK": str(directory / "data"),
            "SCRATCH": str(directory / "scratch"),
            "EXIT_WITH_STDIN": "1",
            **self._settings,
        }
        if os.getuid() == 0:
            settings["UID"] = str(_FIRST_UID + secrets.randbelow(_UIDS))
        # Nothing else of this process's environment: it may hold secrets.
        return {f"SANDBOX_{name}": value for name, value in settings.items()}


def _await_port(process: subprocess.Popen[bytes]) -> int:
    assert process.stdout is not None  # noqa: S101  (opened as a pipe)
    line = process.stdout.readline()
    if not line:
        process.stdout.close()
        raise SandboxLaunchError(f"sandboxd ended with exit code {process.wait()}")
    port: int = json.loads(line)["port"]
    return port


def _relay(process: subprocess.Popen[bytes]) -> None:
    """Log the daemon's events; log each protection that this machine lacks as a warning."""
    assert process.stdout is not None  # noqa: S101  (opened as a pipe)
    with process.stdout:
        for line in process.stdout:
            event = json.loads(line)
            _LOGGER.info("sandboxd %s", event)
            for warning in event.get("protection", {}).get("warnings", []):
                _LOGGER.warning("Code interpreter: %s", warning)
