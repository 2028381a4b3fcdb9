"""The run state machine and what surrounds it, as Step Functions, Lambda and EventBridge work.

Each invocation of a function is an actor. Its result moves the execution on, a killed or failed one
is retried as `run.asl.json` says, a wait ends by its token or its time.
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from assistants.ports.executions import Outcome, Unavailable
from assistants.services.backend import Backend
from tests.engine.schedule import Actor, stop
from tests.unit.fakes import FakeClock

State = Literal["CallModel", "AwaitToolOutputs", "FinishRun"]
RETRIES: dict[State, int] = {"CallModel": 3, "AwaitToolOutputs": 3, "FinishRun": 8}
EVENT_RETRIES = 2  # of an asynchronous invocation
MACHINE_SECONDS = 900
TASK_SECONDS: dict[State, int] = {"CallModel": 870, "FinishRun": 60}


@dataclass
class Execution:
    """`payload` is the state's input; `token` is what a wait ends by."""

    project: str
    thread_id: str
    run_id: str
    started: float
    state: State
    payload: dict[str, Any]
    status: str = "RUNNING"
    attempt: Actor | None = None
    tries: int = 0
    token: str = ""
    resumed: bool = False
    times_out: float = 0.0

    @property
    def ids(self) -> tuple[str, str, str]:
        return self.project, self.thread_id, self.run_id


@dataclass
class Machine:
    """`actors` holds all that is going on; `catches` and `tells` are two of the three nets."""

    clock: FakeClock
    actors: list[Actor]
    catches: bool = True
    tells: bool = True
    refuses: bool = False
    executions: dict[str, Execution] = field(default_factory=dict)
    backend: Backend = field(init=False)
    _tokens: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))
    _events: dict[Actor, tuple[Callable[[], Any], int]] = field(default_factory=dict)

    def start(self, project: str, thread_id: str, run_id: str) -> None:
        stop("StartExecution")
        if self.refuses:
            raise Unavailable("throttled")
        if run_id not in self.executions:
            payload = {"turn": 0, "next": "", "seconds_left": 0}
            execution = Execution(
                project, thread_id, run_id, self.clock.now, state="CallModel", payload=payload
            )
            self.executions[run_id] = execution
            self._enter(execution, "CallModel")

    def resume(self, token: str, outcome: Outcome) -> bool:
        stop("SendTaskSuccess")
        if self.refuses:
            raise Unavailable("throttled")
        for execution in self.executions.values():
            if execution.status == "RUNNING" and execution.token == token:
                execution.resumed = True
                return True
        return False

    def abort(self, run_id: str) -> None:
        """Somebody stops the execution, if it runs."""
        execution = self.executions.get(run_id)
        if execution and execution.status == "RUNNING":
            self._end(execution, "ABORTED")

    def repeat(self, run_id: str) -> None:
        """An invocation of the present state that the execution knows nothing of."""
        execution = self.executions.get(run_id)
        if execution and execution.status == "RUNNING":
            self.actors.append(self._invocation(execution, execution.token))

    def timers(self, now: float) -> list[float]:
        """When the waits and tasks of running executions time out, from now on."""
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
        attempt = execution.attempt
        if execution.resumed:
            self._enter(execution, "CallModel")
        elif self.clock.now >= execution.started + MACHINE_SECONDS:
            self._end(execution, "TIMED_OUT")
        elif self.clock.now >= execution.times_out:
            self._catch(execution)
        elif attempt is not None and attempt.ended:
            self._take_result(execution, attempt)
        else:
            return False
        return True

    def _take_result(self, execution: Execution, attempt: Actor) -> None:
        execution.attempt = None
        if attempt.killed or attempt.error:
            self._retry(execution)
        elif execution.state == "CallModel":
            execution.payload = attempt.result
            if attempt.result["next"] == "action":
                self._enter(execution, "AwaitToolOutputs")
            else:
                self._end(execution, "SUCCEEDED")
        elif execution.state == "FinishRun":
            self._end(execution, "SUCCEEDED")

    def _retry(self, execution: Execution) -> None:
        if execution.tries < RETRIES[execution.state]:
            execution.tries += 1
            self._attempt(execution)
        else:
            self._catch(execution)

    def _catch(self, execution: Execution) -> None:
        if self.catches and execution.state != "FinishRun":
            self._enter(execution, "FinishRun")
        else:
            self._end(execution, "FAILED")

    def _enter(self, execution: Execution, state: State) -> None:
        execution.state, execution.tries, execution.resumed = state, 0, False
        self._attempt(execution)

    def _attempt(self, execution: Execution) -> None:
        waits = execution.state == "AwaitToolOutputs"
        execution.token = f"token-{next(self._tokens)}" if waits else ""
        seconds = execution.payload["seconds_left"] if waits else TASK_SECONDS[execution.state]
        execution.times_out = self.clock.now + seconds
        execution.attempt = self._invocation(execution, execution.token)
        self.actors.append(execution.attempt)

    def _end(self, execution: Execution, status: str) -> None:
        execution.status, execution.token = status, ""
        if status != "SUCCEEDED" and self.tells:
            ids = execution.ids
            name = f"FinishRun of {execution.run_id}"
            self._invoke_later(name, lambda: self.backend.endings.end(*ids), EVENT_RETRIES)

    def _invoke_later(self, name: str, work: Callable[[], Any], retries: int) -> None:
        actor = Actor(name, work)
        self._events[actor] = work, retries
        self.actors.append(actor)

    def _invocation(self, execution: Execution, token: str) -> Actor:
        ids, backend, turn = execution.ids, self.backend, execution.payload["turn"]
        work: dict[State, Callable[[], Any]] = {
            "CallModel": lambda: backend.turns.take(*ids, turn),
            "AwaitToolOutputs": lambda: backend.waits.begin(*ids, token),
            "FinishRun": lambda: backend.endings.end(*ids),
        }
        return Actor(f"{execution.state} of {execution.run_id}", work[execution.state])
