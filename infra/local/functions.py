"""Host Lambda functions: find or start a worker for each invocation."""

import os
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from infra.local import lineage
from infra.local.concurrency import LIMIT, AccountConcurrency
from infra.local.function_spec import LocalFunctionSpec
from infra.local.invocation import FunctionError, Invocation
from infra.local.processes import Processes
from infra.local.timers import Timers
from infra.local.worker import INIT_SECONDS, Worker


class TooManyRequestsError(Exception):
    """Raised when a function, or its account, already runs as often as it may."""


class HostedFunction:
    """One hosted function and its workers."""

    def __init__(self, spec: LocalFunctionSpec, log: Path, host: "FunctionHost") -> None:
        self.spec = spec
        self.arn = spec.arn
        self.timeout = spec.timeout
        self.limit = LIMIT if spec.concurrency is None else spec.concurrency
        self.workers: set[Worker] = set()
        self.invocations = 0
        self.cold_starts = 0
        self.busy_seconds = 0.0  # of all invocations that ended in time, as AWS bills them
        self._log = log
        self._host = host
        self._lock = threading.Lock()
        self._idle: list[Worker] = []  # last in, first out
        self._pending: deque[Invocation] = deque()
        self._starting = 0
        self._closed = False

    @property
    def logs(self) -> str:
        """Return everything that the workers have printed."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def invoke(self, payload: bytes, trace: str = "") -> Invocation:
        """Hand the event to a free worker, or start one; `trace` is the header that came with it.

        Raises `TooManyRequestsError` and `RecursiveInvocationError`.
        """
        concurrency, name = self._host.concurrency, self.spec.logical_id
        release = partial(concurrency.release, name)
        invocation = Invocation(payload, self._extended(trace), release)
        with self._lock:
            busy = sum(worker.invocation is not None for worker in self.workers)
            if self._closed or busy + len(self._pending) >= self.limit:
                raise TooManyRequestsError(self.spec.name)
            if not concurrency.take(name):
                raise TooManyRequestsError(self.spec.name)
            self.invocations += 1
            if self._idle:
                self._idle.pop().assign(invocation)
                return invocation
            self._pending.append(invocation)
        self._start_missing()
        return invocation

    def _extended(self, trace: str) -> str:
        if not self.spec.recursive and lineage.count(trace, self.arn) >= lineage.LONGEST:
            raise lineage.RecursiveInvocationError(self.spec.name)
        return lineage.extended(trace, self.arn)

    def restart(self) -> None:
        """Retire all workers, so that new invocations start fresh ones."""
        with self._lock:
            for worker in self.workers:
                worker.retired = True
            idle, self._idle = self._idle, []
        for worker in idle:
            worker.kill()

    def freed(self, worker: Worker) -> None:
        with self._lock:
            if not worker.ready:
                worker.ready = True
                self._starting -= 1
            if worker.retired:
                worker.kill()
            elif self._pending:
                worker.assign(self._pending.popleft())
            elif worker in self.workers:
                self._idle.append(worker)

    def ended(self, worker: Worker, reason: FunctionError) -> None:
        with self._lock:
            self.workers.discard(worker)
            if worker in self._idle:
                self._idle.remove(worker)
            invocation = worker.invocation
            if not worker.ready:
                self._starting -= 1
                invocation = self._pending.popleft() if self._pending else None
            elif invocation and not invocation.delivered and not self._closed:
                self._pending.appendleft(invocation)
                invocation = None
        if invocation:
            invocation.finish(reason)
        self._start_missing()

    def close(self) -> None:
        """Kill every worker, and fail the invocations that run or wait."""
        with self._lock:
            self._closed = True
            waiting, self._pending = self._pending, deque()
            workers = tuple(self.workers)
        for worker in workers:
            worker.kill()
        for worker in workers:
            worker.join()
        for invocation in waiting:
            invocation.finish(FunctionError.of("Runtime.ExitError", "The host is closing"))

    def _start_missing(self) -> None:
        with self._lock:
            missing = len(self._pending) - self._starting
            self._starting += max(0, missing)
        for _ in range(missing):
            threading.Thread(target=self._start_worker, daemon=True).start()

    def _start_worker(self) -> None:
        with self._host.init_slots:
            with self._lock:
                if len(self._pending) < self._starting:  # other workers took the invocation
                    self._starting -= 1
                    return
                worker = Worker(self, self._host.processes, self._host.timers)
                self.workers.add(worker)
                self.cold_starts += 1
            worker.start(self._spawn)
            worker.wait_until_ready(INIT_SECONDS)

    def _spawn(self, runtime_port: int) -> "subprocess.Popen[bytes]":
        environment = self.spec.process_environment(runtime_port, self._host.aws(self.spec))
        return self._host.processes.start(
            self.spec.command(), environment, self.spec.code, self._log
        )


class FunctionHost(Mapping[str, HostedFunction]):
    """All hosted functions by logical id; `aws` returns a function's endpoint and credentials.

    At most `limit` invocations run at once.
    """

    def __init__(
        self, aws: Callable[[LocalFunctionSpec], Mapping[str, str]], limit: int = LIMIT
    ) -> None:
        self.aws = aws
        self.concurrency = AccountConcurrency(limit)
        self.processes = Processes()
        self.timers = Timers()
        self.init_slots = threading.BoundedSemaphore(os.cpu_count() or 1)
        self._temporary = TemporaryDirectory(prefix="assistants-logs-")
        self.logs = Path(self._temporary.name)
        self._functions: dict[str, HostedFunction] = {}
        self._names: dict[str, HostedFunction] = {}

    def add(self, spec: LocalFunctionSpec) -> None:
        log = self.logs / f"{spec.logical_id}.log"
        self._functions[spec.logical_id] = self._names[spec.name] = HostedFunction(spec, log, self)

    def find(self, name: str) -> HostedFunction | None:
        """Return the function with this name, or this (perhaps partial or qualified) ARN."""
        return self._names.get(name.split("function:")[-1].split(":")[0])

    def close(self) -> None:
        """Kill every worker of every function."""
        self.timers.close()
        for function in self._functions.values():
            function.close()
        self.processes.close()
        self._temporary.cleanup()

    def __getitem__(self, logical_id: str) -> HostedFunction:
        return self._functions[logical_id]

    def __iter__(self) -> Iterator[str]:
        return iter(self._functions)

    def __len__(self) -> int:
        return len(self._functions)
