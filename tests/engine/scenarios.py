"""Runs of every kind, driven to their ends whatever dies on the way."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.engine.contract import ENDED
from tests.engine.fault_injector import Fault
from tests.engine.harness import Harness
from tests.support.deployment import path
from tests.support.model_server import (
    Answer,
    Break,
    Calls,
    Garbage,
    HttpError,
    Pause,
    Text,
    Turn,
    Wait,
)


def speaks(_: dict[str, Any]) -> Answer:
    return Turn(Text("<1>"), Pause(0.12), Text("<2>"), Pause(0.12), Text("<3>"))


def calls(body: dict[str, Any]) -> Answer:
    """Call a function, then answer."""
    return speaks(body) if body["messages"][-1]["role"] == "tool" else Turn(Calls(weather={}))


def searches(body: dict[str, Any]) -> Answer:
    """Call a tool of the server and a function in one turn, then answer."""
    asked = Turn(Calls(file_search={"queries": ["rain"]}, weather={}))
    return speaks(body) if body["messages"][-1]["role"] == "tool" else asked


def computes(body: dict[str, Any]) -> Answer:
    asked = Turn(Calls(code_interpreter={"code": "6 * 7"}))
    return speaks(body) if body["messages"][-1]["role"] == "tool" else asked


def answer(harness: Harness) -> None:
    harness.create(speaks)


def function(harness: Harness) -> None:
    run = harness.create(calls)
    if run["status"] == "requires_action":
        harness.submit(run)


def search_and_function(harness: Harness) -> None:
    run = harness.create(searches, "file_search")
    if run["status"] == "requires_action":
        harness.submit(run)


def code(harness: Harness) -> None:
    harness.create(computes, "code_interpreter")


def cancelled_wait(harness: Harness) -> None:
    run = harness.create(calls)
    harness.client.post(f"{path(run)}/cancel")


def cancelled_answer(harness: Harness) -> None:
    """Cancel while the model is silent."""
    silence = Wait()
    assistant_id = harness.assistant(lambda _: Turn(Text("<1>"), silence, Text("<2>")))
    run = harness.client.post(harness.runs, {"assistant_id": assistant_id})
    harness.until("in_progress", *ENDED)
    harness.client.post(f"{path(run)}/cancel")
    harness.until(*ENDED)
    silence.gate.set()


def never_started(harness: Harness) -> None:
    """Kill the creator before the execution starts, and leave the rest to the sweep."""
    harness.begin_run_only(speaks)
    harness.until("queued")
    harness.pass_minute()
    harness.until(*ENDED)


def cancelled_before_start(harness: Harness) -> None:
    harness.begin_run_only(speaks)
    harness.client.post(f"{path(harness.the_run())}/cancel")
    harness.pass_minute()


def never_called_back(harness: Harness) -> None:
    """Record the outputs without calling the state machine back."""
    run = harness.create(calls)
    if run["status"] in ENDED:  # it was cut before it called anything
        return
    [asked] = run["required_action"]["submit_tool_outputs"]["tool_calls"]
    outputs = [{"tool_call_id": asked["id"], "output": "sunny"}]
    url = f"{path(run)}/submit_tool_outputs"
    recorded = {"queued", "in_progress", *ENDED}
    harness.begin_only(
        url, {"tool_outputs": outputs}, lambda: harness.the_run()["status"] in recorded
    )
    harness.until("queued")
    harness.pass_minute()
    harness.until(*ENDED)


def deleted(harness: Harness) -> None:
    """Delete the thread of an ended run, with everything that belongs to it."""
    harness.create(speaks)
    harness.faults.start_over()
    harness.client.delete(f"threads/{harness.thread_id}")


def left_alone(harness: Harness) -> None:
    """Leave a wait alone until its time is over."""
    harness.create(calls)


def failing_model(harness: Harness, answer: Answer) -> None:
    harness.create(lambda _: answer)


@dataclass(frozen=True)
class Scenario:
    """A sequence of client actions, run without a fault and then once per fault.

    Its run ends in one of `ends`. `given` are faults that always happen, `also` are faults at calls
    other than writes. A scenario whose writes come in a different order each time has its faults in
    `only`; one that is `short_lived` needs runs that expire soon.
    """

    action: Callable[[Harness], None]
    ends: frozenset[str]
    given: tuple[Fault, ...] = ()
    also: tuple[Fault, ...] = ()
    only: tuple[Fault, ...] = ()
    check: Callable[[Harness], str] = Harness.check
    short_lived: bool = False


ANSWERED_OR_FAILED = frozenset({"completed", "failed"})
CANCELLED = frozenset({"cancelled", "failed"})
LOST_START = Fault("Stream", "StartExecution")
LOST_CALLBACK = Fault("Stream", "SendTaskSuccess")
IN_CODE = (
    Fault("RunCode", "PutItem"),
    Fault("RunCode", "PutItem", moment="after"),
    Fault("RunCode", "Invoke", 2),
    Fault("RunCode", "Invoke", 2, moment="after"),
    Fault("RunCode", "TransactWriteItems"),
    Fault("RunCode", "TransactWriteItems", moment="after"),
    Fault("RunCode", "TransactWriteItems", moment="after", effect="cut"),
)
AT_TIMEOUT = (  # before it, a wait left alone writes as "function" does
    Fault("FinishRun", "TransactWriteItems"),
    Fault("FinishRun", "TransactWriteItems", moment="after"),
    Fault("FinishRun", "TransactWriteItems", moment="after", effect="cut"),
)
SCENARIOS = {
    "answer": Scenario(answer, ANSWERED_OR_FAILED, also=(Fault("Stream", "Query", 8),)),
    "function": Scenario(function, ANSWERED_OR_FAILED),
    "search and function": Scenario(search_and_function, ANSWERED_OR_FAILED),
    "code": Scenario(code, frozenset({"completed"}), only=IN_CODE),
    "cancelled wait": Scenario(cancelled_wait, CANCELLED),
    "cancelled answer": Scenario(cancelled_answer, CANCELLED),
    "never started": Scenario(never_started, ANSWERED_OR_FAILED, given=(LOST_START,)),
    "cancelled before": Scenario(cancelled_before_start, CANCELLED, given=(LOST_START,)),
    "never called back": Scenario(never_called_back, ANSWERED_OR_FAILED, given=(LOST_CALLBACK,)),
    "left alone": Scenario(left_alone, frozenset({"expired"}), only=AT_TIMEOUT, short_lived=True),
    "deleted thread": Scenario(deleted, frozenset({"gone"}), check=Harness.check_gone),
}

AT_ONCE = {"Retry-After": "0"}
MODEL_FAILURES: dict[str, Answer] = {
    "refuses": HttpError(400),
    "is overloaded": HttpError(429, headers=AT_ONCE),
    "is broken": HttpError(500, headers=AT_ONCE),
    "hangs": Turn(Wait()),
    "hangs in an answer": Turn(Text("<1>"), Wait()),
    "breaks off": Turn(Text("<1>"), Break()),
    "breaks off in a call": Turn(Calls(weather={"city": "Paris"}), Break()),
    "sends garbage": Turn(Text("<1>"), Garbage()),
    "is no model": Turn(Garbage(b"<html>"), Break()),
}
