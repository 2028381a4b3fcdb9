"""Runs of every kind, played to their ends whatever dies on the way."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.engine.contract import ENDED
from tests.engine.fault_injector import Point
from tests.engine.retrying_client import path_of
from tests.engine.scenario import Stage
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
    """A function first, then it speaks."""
    return speaks(body) if body["messages"][-1]["role"] == "tool" else Turn(Calls(weather={}))


def searches(body: dict[str, Any]) -> Answer:
    """A tool of the server and a function in one turn, then it speaks."""
    asked = Turn(Calls(file_search={"queries": ["rain"]}, weather={}))
    return speaks(body) if body["messages"][-1]["role"] == "tool" else asked


def computes(body: dict[str, Any]) -> Answer:
    asked = Turn(Calls(code_interpreter={"code": "6 * 7"}))
    return speaks(body) if body["messages"][-1]["role"] == "tool" else asked


def answer(stage: Stage) -> None:
    stage.create(speaks)


def function(stage: Stage) -> None:
    run = stage.create(calls)
    if run["status"] == "requires_action":
        stage.submit(run)


def search_and_function(stage: Stage) -> None:
    run = stage.create(searches, "file_search")
    if run["status"] == "requires_action":
        stage.submit(run)


def code(stage: Stage) -> None:
    stage.create(computes, "code_interpreter")


def cancelled_wait(stage: Stage) -> None:
    run = stage.create(calls)
    stage.client.post(f"{path_of(run)}/cancel")


def cancelled_speech(stage: Stage) -> None:
    """While the model is silent."""
    silence = Wait()
    assistant_id = stage.assistant(lambda _: Turn(Text("<1>"), silence, Text("<2>")))
    run = stage.client.post(stage.runs, {"assistant_id": assistant_id})
    stage.until("in_progress", *ENDED)
    stage.client.post(f"{path_of(run)}/cancel")
    stage.until(*ENDED)
    silence.gate.set()


def never_started(stage: Stage) -> None:
    """Its creator dies before the execution starts, and nobody asks again but the sweep."""
    stage.begin_run_only(speaks)
    stage.until("queued")
    stage.pass_minute()
    stage.until(*ENDED)


def cancelled_before_start(stage: Stage) -> None:
    stage.begin_run_only(speaks)
    stage.client.post(f"{path_of(stage.the_run())}/cancel")
    stage.pass_minute()


def never_called_back(stage: Stage) -> None:
    """The outputs are recorded, but the machine does not hear of them."""
    run = stage.create(calls)
    if run["status"] in ENDED:  # it was cut before it called anything
        return
    [asked] = run["required_action"]["submit_tool_outputs"]["tool_calls"]
    outputs = [{"tool_call_id": asked["id"], "output": "sunny"}]
    url = f"{path_of(run)}/submit_tool_outputs"
    recorded = {"queued", "in_progress", *ENDED}
    stage.begin_only(url, {"tool_outputs": outputs}, lambda: stage.the_run()["status"] in recorded)
    stage.until("queued")
    stage.pass_minute()
    stage.until(*ENDED)


def deleted(stage: Stage) -> None:
    """The thread of an ended run, with all that hung on it."""
    stage.create(speaks)
    stage.deaths.forget()
    stage.client.delete(f"threads/{stage.thread_id}")


def left_alone(stage: Stage) -> None:
    """A wait that nobody answers, until its time is over."""
    stage.create(calls)


def trouble_with(stage: Stage, answer: Answer) -> None:
    stage.create(lambda _: answer)


@dataclass(frozen=True)
class Scenario:
    """`given` dies in any case, `also` are deaths at calls that are no writes; `only` those of one
    whose writes come in another order each time. One that is `hasty` needs runs whose time is soon
    over.
    """

    act: Callable[[Stage], None]
    ends: frozenset[str]
    given: tuple[Point, ...] = ()
    also: tuple[Point, ...] = ()
    only: tuple[Point, ...] = ()
    check: Callable[[Stage], str] = Stage.check
    hasty: bool = False


SAID_OR_CUT = frozenset({"completed", "failed"})
CANCELLED = frozenset({"cancelled", "failed"})
LOST_START = Point("Stream", "StartExecution")
LOST_CALLBACK = Point("Stream", "SendTaskSuccess")
IN_CODE = (
    Point("RunCode", "PutItem"),
    Point("RunCode", "PutItem", moment="after"),
    Point("RunCode", "Invoke", 2),
    Point("RunCode", "Invoke", 2, moment="after"),
    Point("RunCode", "TransactWriteItems"),
    Point("RunCode", "TransactWriteItems", moment="after"),
    Point("RunCode", "TransactWriteItems", moment="after", fate="cut"),
)
AT_TIMEOUT = (  # all that a wait left alone writes before is what "function" writes
    Point("FinishRun", "TransactWriteItems"),
    Point("FinishRun", "TransactWriteItems", moment="after"),
    Point("FinishRun", "TransactWriteItems", moment="after", fate="cut"),
)
SCENARIOS = {
    "answer": Scenario(answer, SAID_OR_CUT, also=(Point("Stream", "Query", 8),)),
    "function": Scenario(function, SAID_OR_CUT),
    "search and function": Scenario(search_and_function, SAID_OR_CUT),
    "code": Scenario(code, frozenset({"completed"}), only=IN_CODE),
    "cancelled wait": Scenario(cancelled_wait, CANCELLED),
    "cancelled speech": Scenario(cancelled_speech, CANCELLED),
    "never started": Scenario(never_started, SAID_OR_CUT, given=(LOST_START,)),
    "cancelled before": Scenario(cancelled_before_start, CANCELLED, given=(LOST_START,)),
    "never called back": Scenario(never_called_back, SAID_OR_CUT, given=(LOST_CALLBACK,)),
    "left alone": Scenario(left_alone, frozenset({"expired"}), only=AT_TIMEOUT, hasty=True),
    "deleted thread": Scenario(deleted, frozenset({"gone"}), check=Stage.check_gone),
}

AT_ONCE = {"Retry-After": "0"}
TROUBLES: dict[str, Answer] = {
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
