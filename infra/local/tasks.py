"""ECS tasks on this machine: each is a process that listens at its own address."""

import random
import socket
import threading
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal

from infra.local.process_sandbox import (
    ProcessSandbox,
    ProcessSession,
    SandboxLaunchError,
)

PORT = 8080
PREFIX = "SANDBOX_"
ATTEMPTS = 10

Status = Literal["PENDING", "RUNNING", "STOPPED"]


class Task:
    """A task of the sandbox's image, run from the image's sources in the folder `source`.

    It starts in the background. Some settings that the image fixes differ here: the address of the
    daemon, and its directories. It ends when its standard input does, which even SIGKILL of this
    process brings about.
    """

    def __init__(self, source: Path, environment: Mapping[str, str], address: str) -> None:
        self.address = address
        self.stopped_reason: str | None = None
        self._session: ProcessSession | None = None
        self._sandbox = ProcessSandbox(
            source,
            {
                **{name.removeprefix(PREFIX): value for name, value in environment.items()},
                "HOST": address,
                "PORT": str(PORT),
            },
        )
        self._launch = threading.Thread(target=self._start, name=f"task:{address}")
        self._launch.start()

    @property
    def status(self) -> Status:
        if self._session and self._session.process.poll() is not None:
            self.stopped_reason = self.stopped_reason or "Essential container in task exited"
        if self.stopped_reason is not None:
            return "STOPPED"
        return "RUNNING" if self._session else "PENDING"

    @property
    def process_id(self) -> int:
        """Return the process id of the daemon, once the task is running."""
        return self._running.process.pid

    @property
    def files(self) -> Path:
        """Return the folder of all its files, once the task is running."""
        return self._running.directory

    def stop(self, reason: str) -> None:
        """End the process and remove its files; a task that has ended keeps its reason."""
        self._launch.join()
        self.stopped_reason = self.stopped_reason or reason
        if self._session:
            self._session.end()

    @property
    def _running(self) -> ProcessSession:
        assert self._session  # noqa: S101  (it is running)
        return self._session

    def _start(self) -> None:
        try:
            self._session = self._sandbox.launch()
        except SandboxLaunchError as error:
            self.stopped_reason = str(error)


def end(tasks: Iterable[Task]) -> None:
    """Stop all tasks at once."""
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda task: task.stop("The local stack has ended"), tasks))


def free_address() -> str | None:
    """Return an address that only this machine reaches and where nothing listens yet.

    Linux has 16 million of them. macOS has one, and so one session at a time, unless it is given
    more (`ifconfig lo0 alias`).
    """
    chosen = (random.randbytes(3) for _ in range(ATTEMPTS))  # noqa: S311 - an address, no secret
    for address in (*(f"127.{64 | a & 63}.{b}.{c}" for a, b, c in chosen), "127.0.0.1"):
        with socket.socket() as probe:
            # As the daemon does: connections of an earlier one may linger.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, PORT))
            except OSError:
                continue
            return address
    return None
