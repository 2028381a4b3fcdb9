"""Kill a function at a chosen AWS call: before the call takes effect, or after it did."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from infra.local import LocalStack
from infra.local.recorder import AwsCall
from infra.local.worker import Worker

READS = {"GetItem", "BatchGetItem", "Query", "GetObject", "ListObjectsV2"}


@dataclass(frozen=True)
class Fault:
    """At the `number`th `operation` that `function` calls, kill its worker or only cut the
    connection, so that the function's SDK sends the call again.
    """

    function: str
    operation: str
    number: int = 1
    moment: Literal["before", "after"] = "before"
    effect: Literal["killed", "cut"] = "killed"

    def __str__(self) -> str:
        return f"{self.function} {self.effect} {self.moment} {self.operation} {self.number}"


class FaultInjector:
    """Injects the planned faults into the functions that work for one thread, and into the sweep.

    `writes` are the calls of that work that change data, until the recording is stopped.
    """

    def __init__(self, stack: LocalStack) -> None:
        self._stack = stack
        self._lock = threading.Lock()
        self.plan("none")
        stack.endpoint.around = self._around

    def plan(self, thread_id: str, *faults: Fault) -> None:
        self._thread = thread_id.encode()
        self._faults = {(each.function, each.operation, each.number): each for each in faults}
        self._calls: Counter[tuple[str, str]] = Counter()
        self.writes: list[Fault] = []
        self._stopped_recording = False

    def stop_recording(self) -> None:
        """Leave out of `writes` calls that a faster machine would not make."""
        self._stopped_recording = True

    def start_over(self) -> None:
        """Count the calls from here on."""
        with self._lock:
            self._calls.clear()
            self.writes.clear()

    @property
    def pending(self) -> list[Fault]:
        """The planned faults that have not happened."""
        return list(self._faults.values())

    @contextmanager
    def _around(self, call: AwsCall, _body: bytes) -> Iterator[None]:
        worker = self._worker(call)
        fault = self._reached(call) if worker else None
        if worker and fault and fault.moment == "before":
            self._inject(worker, fault)
        yield
        if worker and fault:
            self._inject(worker, fault)

    def _worker(self, call: AwsCall) -> Worker | None:
        """Find the worker that makes the call, if it works for the thread."""
        workers = self._stack.functions[call.function].workers if call.function else ()
        for worker in tuple(workers):
            event = worker.invocation.payload if worker.invocation else b""
            if self._thread in event or b"Scheduled Event" in event:
                return worker
        return None

    def _reached(self, call: AwsCall) -> Fault | None:
        kind = call.function or "", call.operation
        with self._lock:
            self._calls[kind] += 1
            here = Fault(*kind, self._calls[kind])
            if call.operation not in READS and not self._stopped_recording:
                self.writes.append(here)
            return self._faults.pop((*kind, here.number), None)

    def _inject(self, worker: Worker, fault: Fault) -> None:
        if fault.effect == "killed":
            worker.kill()
        raise ConnectionAbortedError(str(fault))
