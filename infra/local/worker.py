"""A worker: one process that runs one function, in Lambda's terms an execution environment."""

import signal
import subprocess
import threading
import time
from collections.abc import Callable
from functools import partial
from queue import SimpleQueue
from typing import Protocol

from infra.local.http_server import HttpServer
from infra.local.invocation import FunctionError, Invocation
from infra.local.processes import Processes
from infra.local.runtime_api import Delivery, RuntimeApi
from infra.local.timers import Timers

INIT_SECONDS = 10  # Lambda's limit; a longer start counts towards the first invocation

Spawn = Callable[[int], "subprocess.Popen[bytes]"]  # takes the port of the Runtime API


class Pool(Protocol):
    """The function that a worker belongs to."""

    arn: str
    timeout: float
    busy_seconds: float

    def freed(self, worker: "Worker") -> None:
        """Note that the worker can take an invocation."""

    def ended(self, worker: "Worker", reason: FunctionError) -> None:
        """Note that the worker's process has ended."""


class Worker:
    """Run one invocation at a time; later ones reuse the process (a warm start)."""

    def __init__(self, pool: Pool, processes: Processes, timers: Timers) -> None:
        self.invocation: Invocation | None = None
        self.ready = False
        self.retired = False
        self._pool = pool
        self._processes = processes
        self._timers = timers
        self._inbox: SimpleQueue[Invocation | None] = SimpleQueue()
        self._reason: FunctionError | None = None
        self._delivered_at = 0.0
        self._settled = threading.Event()  # ready, or ended before it
        self._ended = threading.Event()
        self._server = HttpServer(RuntimeApi(self).handle)

    def start(self, spawn: Spawn) -> None:
        try:
            self.process = spawn(self._server.port)
        except OSError as error:
            self._end(FunctionError.of("Runtime.InvalidEntrypoint", str(error)))
            return
        threading.Thread(target=self._wait_for_end, daemon=True).start()
        self._timers.call_later(INIT_SECONDS + self._pool.timeout, self._check_init)

    def wait_until_ready(self, seconds: float) -> None:
        """Wait until the worker has asked for work or has ended, at most `seconds`."""
        self._settled.wait(seconds)

    def assign(self, invocation: Invocation) -> None:
        """Give a free worker its next invocation."""
        self.invocation = invocation
        self._inbox.put(invocation)

    def kill(self) -> None:
        """Kill the process, and so end its invocation."""
        self._processes.kill(self.process)

    def join(self) -> None:
        """Wait until the process is gone and accounted for."""
        self._ended.wait()

    def next(self) -> Delivery | None:
        if not self.ready:
            self._pool.freed(self)
            self._settled.set()
        invocation = self._inbox.get()
        if invocation is None or self.process.returncode is not None:
            return None  # undelivered, so that another worker gets it
        invocation.delivered = True
        self._delivered_at = time.monotonic()
        deadline_ms = int((time.time() + self._pool.timeout) * 1000)
        self._timers.call_later(
            self._pool.timeout, partial(self._check_timeout, invocation.request_id)
        )
        return Delivery(invocation, deadline_ms, self._pool.arn)

    def current(self, request_id: str) -> Invocation | None:
        invocation = self.invocation
        return invocation if invocation and invocation.request_id == request_id else None

    def finish(self, error: FunctionError | None = None) -> None:
        invocation, self.invocation = self.invocation, None
        self._pool.busy_seconds += time.monotonic() - self._delivered_at
        self._pool.freed(self)  # first, so that the caller's next invocation finds it free
        if invocation:
            invocation.finish(error)

    def init_failed(self, error: FunctionError) -> None:
        self._reason = error

    def _check_timeout(self, request_id: str) -> None:
        if self.current(request_id):
            self._time_out(request_id, self._pool.timeout)

    def _check_init(self) -> None:
        if not self.ready:
            self._time_out("init", INIT_SECONDS + self._pool.timeout)

    def _time_out(self, request_id: str, seconds: float) -> None:
        message = f"RequestId: {request_id} Error: Task timed out after {seconds:.2f} seconds"
        self._reason = FunctionError.of("Sandbox.Timedout", message)
        self.kill()

    def _wait_for_end(self) -> None:
        status = self.process.wait()
        self.kill()  # what it started in its group
        self._processes.ended(self.process)
        self._end(self._reason or self._exit_error(status))

    def _end(self, reason: FunctionError) -> None:
        self._inbox.put(None)
        self._server.close()
        self._pool.ended(self, reason)
        self._settled.set()
        self._ended.set()

    def _exit_error(self, status: int) -> FunctionError:
        request_id = self.invocation.request_id if self.invocation else "init"
        if status == 0:
            reason = "Runtime exited without providing a reason"
        elif status < 0:
            reason = f"Runtime exited with error: signal: {signal.strsignal(-status)}".lower()
        else:
            reason = f"Runtime exited with error: exit status {status}"
        return FunctionError.of("Runtime.ExitError", f"RequestId: {request_id} Error: {reason}")
