"""One kernel process and the daemon's ends of its two pipes: control and output."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from . import messages, processes
from .channel import FrameReader, encode
from .guard import Guard
from .identity import Identity
from .logs import Logs

_PACKAGE_ROOT = Path(__file__).parent.parent
_READ_BYTES = 1 << 16
_READS_AT_ONCE = 64
_POLL_MILLISECONDS = 50


class KernelExitedError(Exception):
    """Raised when the kernel process has closed its end."""


def _spawn(environment: Mapping[str, str]) -> tuple[subprocess.Popen[bytes], socket.socket, int]:
    """Start a process; return it with the daemon's ends of its control channel and output."""
    ours, theirs = socket.socketpair()
    output, printed = os.pipe()
    try:
        process = subprocess.Popen(  # noqa: S603  (our own arguments)
            [sys.executable, "-s", "-m", "sandboxd.runner", str(theirs.fileno())],
            cwd=_PACKAGE_ROOT,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=printed,
            pass_fds=(theirs.fileno(),),
            start_new_session=True,
        )
    finally:
        theirs.close()
        os.close(printed)
    ours.setblocking(False)
    os.set_blocking(output, False)
    return process, ours, output


class Kernel:
    """A running kernel process.

    The thread that starts it must live on: the process asks to be killed with that thread.
    """

    def __init__(
        self,
        order: Mapping[str, Any],
        environment: Mapping[str, str],
        identity: Identity,
        guard: Guard,
    ) -> None:
        """Start the process with its order: how to confine itself and what to preload.

        Its first message is KernelReady.
        """
        self.guard = guard
        self._identity = identity
        self._process, self._control, self._output = _spawn(environment)
        self._printing = True
        self._frames = FrameReader()
        self._unsent = b""
        self.send(order)

    def send(self, message: Mapping[str, Any]) -> None:
        """Queue a message; `exchange` writes it as far as the kernel takes it."""
        self._unsent += encode(message)

    def exchange(self, logs: Logs) -> Iterator[messages.Message]:
        """Wait a moment for output and messages; yield the messages.

        Raises KernelExitedError, or ProtocolError when the kernel violates the protocol.
        """
        poll = select.poll()
        if self._printing:
            poll.register(self._output, select.POLLIN)
        poll.register(self._control, select.POLLIN | (select.POLLOUT if self._unsent else 0))
        ready = dict(poll.poll(_POLL_MILLISECONDS))
        self._drain(logs)
        events = ready.get(self._control.fileno(), 0)
        if events & select.POLLOUT:
            self._write()
        if events & (select.POLLIN | select.POLLHUP | select.POLLERR):
            yield from self._read(logs)
        elif not self.alive:
            # Its end is still open: a process that it forked holds it.
            raise KernelExitedError

    def _write(self) -> None:
        with suppress(BlockingIOError, BrokenPipeError, ConnectionResetError):
            self._unsent = self._unsent[self._control.send(self._unsent) :]

    def _read(self, logs: Logs) -> Iterator[messages.Message]:
        try:
            received = self._control.recv(_READ_BYTES)
        except BlockingIOError:
            return
        except ConnectionResetError:
            received = b""
        for frame in self._frames.feed(received):
            yield messages.parse(frame)
        # Output printed before a message is in the pipe by now.
        self._drain(logs)
        if not received:
            raise KernelExitedError

    def _drain(self, logs: Logs) -> None:
        """Read pending output, but not as long as a flood refills the pipe."""
        for _ in range(_READS_AT_ONCE):
            try:
                printed = os.read(self._output, _READ_BYTES)
            except BlockingIOError:
                return
            if not printed:
                # Every process of the sandbox has closed it: polling it again would not wait.
                self._printing = False
                return
            logs.write(printed)

    @property
    def alive(self) -> bool:
        """Return whether the process still runs."""
        return self._process.poll() is None

    def interrupt(self) -> None:
        """Send SIGINT to the kernel and the commands it runs, as a terminal would."""
        if self.alive:
            os.killpg(self._process.pid, signal.SIGINT)

    def kill(self) -> None:
        """Kill the process and everything that it started. Raises TimeoutError."""
        processes.end_all(self._process, self._identity)

    def end(self) -> None:
        """Kill the process and close its pipes. Raises TimeoutError."""
        self.kill()
        self._control.close()
        os.close(self._output)
