"""Death at a chosen AWS call of a function: before the call takes effect, or after it did."""

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
class Point:
    """The `number`th `operation` that `function` asks for. There its worker is killed, or only the
    connection is cut, so that the function's SDK asks again.
    """

    function: str
    operation: str
    number: int = 1
    moment: Literal["before", "after"] = "before"
    fate: Literal["killed", "cut"] = "killed"

    def __str__(self) -> str:
        return f"{self.function} {self.fate} {self.moment} {self.operation} {self.number}"


class Deaths:
    """What is planned for the work of one thread, and of what is done for none in particular.

    `writes` are the calls of that work that change something, up to where it is disturbed.
    """

    def __init__(self, stack: LocalStack) -> None:
        self._stack = stack
        self._lock = threading.Lock()
        self.plan("none")
        stack.endpoint.around = self._around

    def plan(self, thread_id: str, *points: Point) -> None:
        self._thread = thread_id.encode()
        self._points = {(each.function, each.operation, each.number): each for each in points}
        self._calls: Counter[tuple[str, str]] = Counter()
        self.writes: list[Point] = []
        self._disturbed = False

    def disturb(self) -> None:
        """What follows would not have to happen on a faster machine."""
        self._disturbed = True

    def forget(self) -> None:
        """Count from here on."""
        with self._lock:
            self._calls.clear()
            self.writes.clear()

    @property
    def pending(self) -> list[Point]:
        """What was planned and has not happened."""
        return list(self._points.values())

    @contextmanager
    def _around(self, call: AwsCall, _body: bytes) -> Iterator[None]:
        worker = self._worker(call)
        point = self._reached(call) if worker else None
        if worker and point and point.moment == "before":
            self._strike(worker, point)
        yield
        if worker and point:
            self._strike(worker, point)

    def _worker(self, call: AwsCall) -> Worker | None:
        """Whose call it is, if it is in the work for the thread."""
        workers = self._stack.functions[call.function].workers if call.function else ()
        for worker in tuple(workers):
            event = worker.invocation.payload if worker.invocation else b""
            if self._thread in event or b"Scheduled Event" in event:
                return worker
        return None

    def _reached(self, call: AwsCall) -> Point | None:
        kind = call.function or "", call.operation
        with self._lock:
            self._calls[kind] += 1
            here = Point(*kind, self._calls[kind])
            if call.operation not in READS and not self._disturbed:
                self.writes.append(here)
            return self._points.pop((*kind, here.number), None)

    def _strike(self, worker: Worker, point: Point) -> None:
        if point.fate == "killed":
            worker.kill()
        raise ConnectionAbortedError(str(point))
