"""Keep a kernel alive, execute code in it and return the results."""

from __future__ import annotations

import os
import sys
import threading
import time
from dataclasses import asdict
from pathlib import Path

from . import processes
from .channel import ProtocolError
from .confinement import Confinement
from .disk import DiskWatch
from .files import DataDirectory
from .guard import Guard
from .identity import Identity
from .kernel import Kernel, KernelExitedError
from .logs import Logs
from .messages import KernelReady
from .result import Reason, Result
from .running_execution import RunningExecution, Step
from .settings import DaemonSettings
from .workspace import Workspace

_BOOT_SECONDS = 60
_READABLE = "/usr /lib /lib64 /bin /sbin /etc /opt /proc /sys/devices/system/cpu /sys/fs/cgroup"
_DEVICES = "/dev/null /dev/zero /dev/full /dev/random /dev/urandom"
_PACKAGE = Path(__file__).parent


class KernelBootError(Exception):
    """Raised when no kernel starts, so that the session cannot go on."""


class Supervisor:
    """The session's kernel across its restarts. All calls come from one long-lived thread."""

    def __init__(
        self, settings: DaemonSettings, workspace: Workspace, files: DataDirectory
    ) -> None:
        """Start nothing yet."""
        self.generation = 0
        self.landlock = 0
        self._settings, self._workspace, self._files = settings, workspace, files
        self._identity = Identity(settings.uid)
        self._kernel: Kernel | None = None
        self._executions = 0
        self._loss_to_report = False

    def keep(self) -> Kernel:
        """Return the kernel, or a new one if it has gone or outgrown its bounds.

        Raises KernelBootError, and TimeoutError when the old one cannot be killed.
        """
        kernel = self._kernel
        if kernel is not None and (not kernel.alive or kernel.guard.exceeded()):
            self._lose(kernel)
        return self._kernel or self._boot()

    def run(self, code: str, seconds: float, cancelled: threading.Event) -> Result:
        """Execute code for at most `seconds` and then the grace. Raises as `keep` does."""
        kernel = self.keep()
        started = time.monotonic()
        self._executions += 1
        execution = RunningExecution(
            self._executions, started + seconds, self._settings.grace_seconds
        )
        if cancelled.is_set():
            return self._result(execution, "cancelled", 0)
        kernel.send({"type": "run", "id": execution.number, "code": self._workspace.inward(code)})
        end = self._follow(kernel, execution, cancelled)
        if end is not None:
            self._lose(kernel)
        return self._result(execution, end or execution.reason, time.monotonic() - started)

    def kill(self) -> None:
        """Kill the kernel at the end of the session, from any thread."""
        if self._kernel is not None:
            self._kernel.kill()

    def _follow(
        self, kernel: Kernel, execution: RunningExecution, cancelled: threading.Event
    ) -> Reason | None:
        """Follow an execution to its end; return why the kernel must go, None if it can stay."""
        end: Reason | None = None
        try:
            while execution.done is None and end is None:
                end = self._advance(kernel, execution, cancelled)
        except KernelExitedError:
            return execution.reason or "exited"
        except ProtocolError:
            return "protocol"
        return end

    def _advance(
        self, kernel: Kernel, execution: RunningExecution, cancelled: threading.Event
    ) -> Reason | None:
        """Process the kernel's messages for a moment, and intervene if necessary."""
        for message in kernel.exchange(execution.logs):
            execution.receive(message)
        if execution.done is not None:
            return None
        step = execution.next_step(time.monotonic(), cancelled)
        if step is Step.INTERRUPT:
            kernel.interrupt()
        return execution.reason if step is Step.KILL else kernel.guard.exceeded()

    def _result(self, execution: RunningExecution, reason: Reason | None, seconds: float) -> Result:
        lost, self._loss_to_report = self._loss_to_report, False
        files, unreported = self._files.changes()
        error = execution.done.error if execution.done else None
        return Result(
            ok=error is None and reason is None,
            error=error,
            reason=reason,
            lost=lost,
            generation=self.generation,
            logs=self._workspace.outward(execution.logs.text()),
            truncated=execution.logs.truncated,
            total=execution.logs.total,
            images=tuple(execution.gallery.images),
            files=tuple(files),
            skipped=unreported + execution.gallery.refused,
            seconds=round(seconds, 4),
        )

    def _boot(self) -> Kernel:
        self.generation += 1
        self._workspace.prepare(self._identity)
        order = {
            "confinement": asdict(self._bounds()),
            "parent": os.getpid(),
            "data": str(self._workspace.data),
            "preload": self._settings.preload,
        }
        environment = self._workspace.environment(sys.executable)
        kernel = Kernel(order, environment, self._identity, self._new_guard())
        self.landlock = self._ready(kernel).landlock
        self._kernel = kernel
        return kernel

    def _ready(self, kernel: Kernel) -> KernelReady:
        deadline = time.monotonic() + _BOOT_SECONDS
        logs = Logs()
        try:
            while time.monotonic() < deadline:
                for message in list(kernel.exchange(logs)):
                    if isinstance(message, KernelReady):
                        sys.stderr.write(self._for_the_operator(logs))
                        return message
        except (KernelExitedError, ProtocolError) as failure:
            raise KernelBootError(self._for_the_operator(logs)) from failure
        raise KernelBootError(f"no kernel within {_BOOT_SECONDS} s: {self._for_the_operator(logs)}")

    def _for_the_operator(self, logs: Logs) -> str:
        """Return what the preloaded statements printed, as long as no code can have forged it."""
        return logs.text() if self.generation == 1 else ""

    def _lose(self, kernel: Kernel) -> None:
        kernel.end()
        self._kernel = None
        self._loss_to_report = True

    def _new_guard(self) -> Guard:
        directories = (self._workspace.data, self._workspace.scratch)
        disk = DiskWatch(directories, self._settings.disk_bytes, self._identity)
        return Guard(self._settings.memory_bytes, disk)

    def _bounds(self) -> Confinement:
        settings = self._settings
        # The limit counts all processes of a user: if the user is not the sandbox's own, add them.
        others = processes.count_of_own_user() if settings.uid is None else 0
        interpreter = (sys.prefix, sys.base_prefix, str(_PACKAGE))
        return Confinement(
            uid=settings.uid,
            memory_bytes=settings.memory_bytes,
            processes=settings.processes + others,
            file_bytes=settings.file_bytes,
            readable=(*_READABLE.split(), *interpreter),
            writable=(*_DEVICES.split(), *self._workspace.writable),
        )
