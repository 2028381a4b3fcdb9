"""The run state machine with its surroundings, as Step Functions, Lambda and EventBridge work.

Each invocation of a function is an actor. Its result moves the execution on, a killed or failed one
is retried as `run.asl.json` says, a wait ends by its token or its time.
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from assistants.domain.ids import RunId, RunRef
from assistants.ports.executions import ExecutionsUnavailableError, Outcome
from assistants.services.backend import Backend
from tests.engine.schedule import Actor, stop
from tests.support.fakes import FakeClock

State = Literal["CallModel", "UseTools", "AwaitToolOutputs", "FinishRun"]
RETRIES: dict[State, int] = {"CallModel": 3, "UseTools": 3, "AwaitToolOutputs": 3, "FinishRun": 8}
EVENT_RETRIES = 2  # of an asynchronous invocation
MACHINE_SECONDS = 900
TASK_SECONDS: dict[State, int] = {"CallModel": 870, "UseTools": 870, "FinishRun": 60}


@dataclass
class Attempt:
    """One invocation for a task's result; `call` is the call of a server's tool."""

    actor: Actor
    tries: int = 0
    call: str = ""


@dataclass
class Execution:
    """`payload` is the input of the state, `attempts` are the invocations that it waits for, and
    `token` ends a wait.
    """

    ref: RunRef
    started: float
    state: State
    payload: dict[str, Any]
    status: str = "RUNNING"
    attempts: list[Attempt] = field(default_factory=list)
    token: str = ""
    resumed: bool = False
    times_out: float = 0.0

    @property
    def run_id(self) -> RunId:
        return self.ref.run_id


@dataclass
class Machine:
    """`actors` are all processes at work. `catches` and `notifies` say whether a failure leads to
    FinishRun, by the machine's own Catch or by the EventBridge rule.
    """

    clock: FakeClock
    actors: list[Actor]
    catches: bool = True
    notifies: bool = True
    refuses: bool = False
    executions: dict[str, Execution] = field(default_factory=dict)
    backend: Backend = field(init=False)
    _tokens: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))
    _events: dict[Actor, tuple[Callable[[], Any], int]] = field(default_factory=dict)

    def start(self, ref: RunRef) -> None:
        stop("StartExecution")
        if self.refuses:
            raise ExecutionsUnavailableError("throttled")
        if ref.run_id not in self.executions:
            payload = {"turn": 0, "next": "", "seconds_left": 0}
            execution = Execution(ref, self.clock.now, state="CallModel", payload=payload)
            self.executions[ref.run_id] = execution
            self._enter(execution, "CallModel")

    def resume(self, token: str, outcome: Outcome) -> bool:
        stop("SendTaskSuccess")
        if self.refuses:
            raise ExecutionsUnavailableError("throttled")
        for execution in self.executions.values():
            if execution.status == "RUNNING" and execution.token == token:
                execution.resumed = True
                return True
        return False

    def abort(self, run_id: str) -> None:
        """Stop the execution, if it runs."""
        execution = self.executions.get(run_id)
        if execution and execution.status == "RUNNING":
            self._end(execution, "ABORTED")

    def repeat(self, run_id: str) -> None:
        """Invoke the function of the current state without the execution's knowledge."""
        execution = self.executions.get(run_id)
        if execution and execution.status == "RUNNING" and execution.attempts:
            call = execution.attempts[0].call
            self.actors.append(self._invocation(execution, call))

    def timers(self, now: float) -> list[float]:
        """Return when the waits and tasks of running executions time out, from now on."""
        running = [each for each in self.executions.values() if each.status == "RUNNING"]
        return [each.times_out for each in running if each.times_out > now]

    def settle(self) -> None:
        """Whatever follows from what has ended and from the time."""
        for execution in self.executions.values():
            while execution.status == "RUNNING" and self._moves(execution):
                pass
        for actor, (work, retries) in list(self._events.items()):
            if actor.ended:
                del self._events[actor]
                if (actor.killed or actor.error) and retries:
                    self._invoke_later(actor.name, work, retries - 1)
        self.actors[:] = [actor for actor in self.actors if not actor.ended]

    def _moves(self, execution: Execution) -> bool:
        if execution.resumed:
            self._enter(execution, "CallModel")
        elif self.clock.now >= execution.started + MACHINE_SECONDS:
            self._end(execution, "TIMED_OUT")
        elif self.clock.now >= execution.times_out:
            self._catch(execution)
        else:
            return self._take_results(execution)
        return True

    def _take_results(self, execution: Execution) -> bool:
        ended = [attempt for attempt in execution.attempts if attempt.actor.ended]
        for attempt in ended:
            execution.attempts.remove(attempt)
            if not (attempt.actor.killed or attempt.actor.error):
                self._succeed(execution, attempt.actor.result)
            elif attempt.tries < RETRIES[execution.state]:
                self._attempt(execution, attempt.call, attempt.tries + 1)
            else:
                self._catch(execution)
                break
        return bool(ended)

    def _succeed(self, execution: Execution, result: Any) -> None:
        """Move on with the result of one task."""
        match execution.state:
            case "CallModel":
                execution.payload = result
                following: dict[str, State] = {"tools": "UseTools", "action": "AwaitToolOutputs"}
                if result["next"] in following:
                    self._enter(execution, following[result["next"]])
                else:
                    self._end(execution, "SUCCEEDED")
            case "UseTools" if not execution.attempts:
                asks = execution.payload["calls_functions"]
                self._enter(execution, "AwaitToolOutputs" if asks else "CallModel")
            case "FinishRun":
                self._end(execution, "SUCCEEDED")

    def _catch(self, execution: Execution) -> None:
        if self.catches and execution.state != "FinishRun":
            self._enter(execution, "FinishRun")
        else:
            self._end(execution, "FAILED")

    def _enter(self, execution: Execution, state: State) -> None:
        execution.state, execution.resumed = state, False
        execution.attempts.clear()
        calls = execution.payload["calls"] if state == "UseTools" else [{"call": ""}]
        for call in calls:
            self._attempt(execution, call["call"])

    def _attempt(self, execution: Execution, call: str, tries: int = 0) -> None:
        waits = execution.state == "AwaitToolOutputs"
        execution.token = f"token-{next(self._tokens)}" if waits else ""
        seconds = execution.payload["seconds_left"] if waits else TASK_SECONDS[execution.state]
        execution.times_out = self.clock.now + seconds
        actor = self._invocation(execution, call)
        execution.attempts.append(Attempt(actor, tries, call))
        self.actors.append(actor)

    def _end(self, execution: Execution, status: str) -> None:
        execution.status, execution.token = status, ""
        if status != "SUCCEEDED" and self.notifies:
            ref = execution.ref
            name = f"FinishRun of {execution.run_id}"
            self._invoke_later(name, lambda: self.backend.runs.termination.end(ref), EVENT_RETRIES)

    def _invoke_later(self, name: str, work: Callable[[], Any], retries: int) -> None:
        actor = Actor(name, work)
        self._events[actor] = work, retries
        self.actors.append(actor)

    def _invocation(self, execution: Execution, call: str) -> Actor:
        ref, backend, token = execution.ref, self.backend, execution.token
        turn = execution.payload["turn"]
        work: dict[State, Callable[[], Any]] = {
            "CallModel": lambda: backend.turns.service.take(ref, turn),
            "UseTools": lambda: backend.turns.tool_calls.answer(ref, call),
            "AwaitToolOutputs": lambda: backend.runs.callbacks.begin(ref, turn, token),
            "FinishRun": lambda: backend.runs.termination.end(ref),
        }
        return Actor(f"{execution.state} of {execution.run_id}", work[execution.state])
