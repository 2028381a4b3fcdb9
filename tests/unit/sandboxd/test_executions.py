"""Executions run once, and their results are kept within a budget."""

from __future__ import annotations

import threading
from typing import cast

import pytest

from functions.sandbox.sandboxd import executions
from functions.sandbox.sandboxd.executions import (
    ExecutionConflictError,
    ExecutionGoneError,
    ExecutionQueue,
    SessionFullError,
)
from functions.sandbox.sandboxd.result import Result
from functions.sandbox.sandboxd.supervisor import KernelBootError, Supervisor


class Echo:
    """A supervisor that prints the code; it ends at the code `end`."""

    def __init__(self) -> None:
        self.ran: list[str] = []

    def keep(self) -> None:
        if "end" in self.ran:
            raise KernelBootError("as the test asked")

    def run(self, code: str, seconds: float, cancelled: threading.Event) -> Result:
        self.ran.append(code)
        nothing = {"error": None, "reason": None, "images": (), "files": (), "skipped": 0}
        return Result(
            ok=True,
            lost=False,
            generation=1,
            logs=code,
            truncated=False,
            total=0,
            seconds=0,
            **nothing,  # type: ignore[arg-type]
        )


def serve(queue: ExecutionQueue) -> None:
    """Run what waits, up to the code `end`."""
    queue.submit("last", "end", 1)
    with pytest.raises(KernelBootError):
        queue.serve()


def test_an_id_that_is_sent_twice_runs_once() -> None:
    echo = Echo()
    queue = ExecutionQueue(cast(Supervisor, echo))
    first = queue.submit("a", "one", 1)
    assert queue.submit("a", "one", 1) is first
    with pytest.raises(ExecutionConflictError):
        queue.submit("a", "two", 1)
    serve(queue)
    assert queue.submit("a", "one", 1) is first
    assert echo.ran == ["one", "end"]


def test_a_result_beyond_the_budget_is_gone_but_its_id_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(executions, "_MAX_KEPT_BYTES", 10)
    echo = Echo()
    queue = ExecutionQueue(cast(Supervisor, echo))
    old, new = queue.submit("old", "x" * 8, 1), queue.submit("new", "y" * 6, 1)
    serve(queue)
    with pytest.raises(ExecutionGoneError):
        old.wait(0)
    result = new.wait(0)
    assert result is not None
    assert result.logs == "y" * 6
    assert queue.submit("old", "x" * 8, 1) is old
    assert echo.ran.count("x" * 8) == 1


def test_a_session_has_an_end_of_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executions, "_MAX_IDS", 2)
    queue = ExecutionQueue(cast(Supervisor, Echo()))
    queue.submit("a", "1", 1)
    queue.submit("b", "2", 1)
    with pytest.raises(SessionFullError):
        queue.submit("c", "3", 1)
    assert queue.submit("a", "1", 1) is queue.find("a")
