"""The whole service over fakes, whose processes the test moves one step at a time."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from assistants.domain.ids import FileId, ProjectId, RunId, RunRef, ThreadId
from assistants.domain.model import Catalog
from assistants.domain.model_route import ModelRoute
from assistants.domain.run import RunSettings
from assistants.http.app import create_app
from assistants.ports.hosted_tool import HostedTool, ToolAnswer, ToolUse
from assistants.services.backend import Backend
from assistants.services.ports import Ports
from assistants.services.storage import keys
from tests.engine.contract import ENDED, Contract
from tests.engine.machine import Machine
from tests.engine.schedule import Actor, current, stop
from tests.engine.scripted_model import ScriptedModel
from tests.engine.table import SharedTable
from tests.support.api_client import Answer, Client
from tests.support.deployment import WEATHER
from tests.support.fakes import FakeBlobs, FakeClock

TTL_SECONDS = 600
ASLEEP = "a pause"
_STEPS = 5000


class SimulatedClock(FakeClock):
    """Time that only the test moves; an actor that sleeps waits for its next step."""

    def sleep(self, seconds: float) -> None:
        assert current(), "there is nothing left to wait for"
        stop(ASLEEP)


@dataclass
class Request:
    """One API call as its client knows it; no answer if its function was killed."""

    kind: str
    actor: Actor
    method: str
    url: str
    body: Any
    headers: Mapping[str, str]
    began: int
    run_id: str = ""
    key: str = ""
    ended: int = 0

    @property
    def thread_id(self) -> str:
        return self.url.split("/")[2]

    @property
    def answer(self) -> Answer | None:
        result: Answer | None = self.actor.result
        return result


class SteppedTool(HostedTool):
    """A tool of the server, which stops where functions may die and may be asked twice for one
    answer. Every answer has an image, named by the number of the call.
    """

    def prepare(self, project: ProjectId, run: RunSettings, **_: Any) -> None:
        stop("the tool's preparation")

    def answer(self, use: ToolUse) -> ToolAnswer:
        stop("the tool")
        log = {"index": 0, "type": "logs", "logs": "42"}
        image = FileId(f"file-{use.number:03d}")
        return ToolAnswer(f"result of {use.id}", {"outputs": [log]}, images=(image,))


@dataclass
class SimulatedPurgeQueue:
    """The purge queue: a message is delivered at least once."""

    simulation: "Simulation"

    def send(self, project: ProjectId, identifier: str) -> None:
        stop("SendMessage")
        self.simulation.deliver(project, identifier)


@dataclass
class Simulation:
    """Everything that happens to the service at once.

    `requests` are all API calls so far, `actors` all processes at work. `damaged` are the runs that
    a fault may have made fail, `only_swept` the threads for which a call of the machine may have
    been lost, so that only the sweep goes on with their runs.
    """

    catches: bool = True
    notifies: bool = True
    actors: list[Actor] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    model: ScriptedModel = field(default_factory=ScriptedModel)
    clock: SimulatedClock = field(default_factory=SimulatedClock)
    damaged: set[str] = field(default_factory=set)
    only_swept: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.contract = Contract(self.clock.time)
        self.table = SharedTable(self.contract.watch)
        self.machine = Machine(
            self.clock, self.actors, catches=self.catches, notifies=self.notifies
        )
        self.backend = Backend(
            Ports(
                table=self.table,
                blobs=FakeBlobs(),
                executions=self.machine,
                purge_queue=SimulatedPurgeQueue(self),
                model=self.model,
                catalog=Catalog({"scripted": ModelRoute()}, endpoint_configured=True),
                clock=self.clock,
                auth="open",
                run_ttl_seconds=TTL_SECONDS,
                tools={"code_interpreter": SteppedTool(), "file_search": SteppedTool()},
            )
        )
        self.machine.backend = self.backend
        self.api = Client(create_app(self.backend))
        self._purges: dict[Actor, tuple[ProjectId, str]] = {}
        tools = [WEATHER, {"type": "code_interpreter"}, {"type": "file_search"}]
        assistant = self.api.post("/assistants", {"model": "scripted", "tools": tools})
        self.assistant_id = assistant["id"]
        self.project = self.backend.api_keys.identify("Bearer sk-test")

    def request(
        self,
        kind: str,
        method: str,
        url: str,
        body: Any = None,
        *,
        run_id: str = "",
        key: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> Request:
        """Begin an API call, whose steps the test then takes."""
        given = {**(headers or {}), **({"idempotency-key": key} if key else {})}
        actor = Actor(f"{method} {url}", lambda: self.api.request(method, url, body, headers=given))
        self.actors.append(actor)
        made = Request(
            kind, actor, method, url, body, given, self.contract.moment, run_id=run_id, key=key
        )
        self.requests.append(made)
        return made

    def again(self, made: Request) -> None:
        """Make the same call once more."""
        self.request(made.kind, made.method, made.url, made.body, run_id=made.run_id, key=made.key)

    @property
    def runs(self) -> list[tuple[str, str]]:
        """The thread and run of every run that was ever created."""
        threads = self.contract.threads
        return [(thread_id, run_id) for thread_id in threads for run_id in threads[thread_id]]

    def ref(self, thread_id: str, run_id: str) -> RunRef:
        return RunRef(self.project, ThreadId(thread_id), RunId(run_id))

    @property
    def waiting(self) -> list[tuple[tuple[str, str], list[str]]]:
        """The runs that wait for tool outputs, with their calls."""
        found = []
        for ids in self.runs:
            row = self.table.rows.get(keys.run_state(self.ref(*ids)))
            if action := row and row.body["required_action"]:
                calls = action["submit_tool_outputs"]["tool_calls"]
                found.append((ids, [call["id"] for call in calls]))
        return found

    def kill(self, actor: Actor) -> None:
        actor.kill()
        self.damaged.add(actor.name.rpartition(" ")[2])
        self.only_swept.update(each.thread_id for each in self.requests if each.actor is actor)
        self.settle()

    def abort(self, run_id: str) -> None:
        """Stop the execution, as an operator does."""
        self.damaged.add(run_id)
        self.machine.abort(run_id)
        self.settle()

    def repeat(self, run_id: str) -> None:
        """Invoke the function of the current state a second time."""
        self.damaged.add(run_id)
        self.machine.repeat(run_id)

    def throttle(self, refuses: bool) -> None:
        """Let Step Functions refuse calls, or take them again."""
        self.machine.refuses = refuses
        self.damaged.update(self.contract.history)
        self.only_swept.update(each.thread_id for each in self.requests)

    def sweep(self) -> None:
        """Begin an invocation of the Expire function."""
        self.actors.append(Actor("Expire", lambda: self.backend.maintenance.sweeper.sweep()))

    def deliver(self, project: ProjectId, thread_id: str) -> None:
        actor = Actor(
            "Purge", lambda: self.backend.maintenance.purge.work(project, thread_id, seconds=0)
        )
        self._purges[actor] = project, thread_id
        self.actors.append(actor)

    def settle(self) -> None:
        """Draw the consequences of what has ended; called after each step."""
        if self.table.violation:
            raise self.table.violation
        for request in self.requests:
            if request.actor.ended and not request.ended:
                request.ended = self.contract.moment + 1
        for actor, message in list(self._purges.items()):
            if actor.ended:
                del self._purges[actor]
                if actor.killed or actor.error:
                    self.deliver(*message)
        self.machine.settle()

    def quiet(self, minutes: int) -> None:
        """Let everything go on without faults and time pass, with a sweep each minute."""
        self.machine.refuses = False
        self.go_on()
        self._check_only_lost_runs_wait_for_the_sweep()
        over = self.clock.now + 60 * minutes
        while self.clock.now < over and (self.actors or self._something_is_due()):
            self.pass_time(60)
            self.sweep()
            self.go_on()

    def _something_is_due(self) -> bool:
        return any(row.due_at for row in self.table.rows.values())

    def pass_time(self, seconds: float, *, busy: bool = False) -> None:
        """Move the clock from timer to timer of the machine; unless `busy`, all actors go on."""
        until = self.clock.now + seconds
        while self.clock.now < until:
            self.clock.now = min([until, *self.machine.timers(self.clock.now)])
            self.settle()
            if not busy:
                self.go_on()

    def _check_only_lost_runs_wait_for_the_sweep(self) -> None:
        """Check that every other run goes on at once, by its own machine or function."""
        for thread_id, run_id in self.runs:
            execution = self.machine.executions.get(run_id)
            status = self.contract.statuses(run_id)[-1]
            if thread_id in self.only_swept or status in ENDED or not execution:
                continue
            if any(attempt.actor.at == ASLEEP for attempt in execution.attempts):
                # It waits for a worker that took over its turn and died without a trace.
                assert run_id in self.damaged, "a worker waits for nothing"
            elif execution.status == "RUNNING":
                assert status == "requires_action", f"{status}, but the machine waits"
                wait = self.backend.runs.callbacks.find(
                    self.backend.runs.repository.load(self.ref(thread_id, run_id))
                )
                assert wait, run_id
                assert execution.token in wait.callback.tokens, "nobody knows the token"
            else:
                assert execution.status != "SUCCEEDED", f"{status}, but the machine has ended"

    def go_on(self, rounds: int = _STEPS) -> None:
        """Step all actors in turn until all that are left wait for others."""
        for _ in range(rounds):
            awake = [actor for actor in self.actors if actor.at != ASLEEP]
            if not awake and not self._wake():
                return
            for actor in awake:
                actor.step()
            self.settle()
        assert rounds < _STEPS, f"these never end: {self.actors}"

    def _wake(self) -> bool:
        """Let each sleeping actor look once, and return whether any has ended."""
        sleeping = list(self.actors)
        for actor in sleeping:
            actor.step()
            while not actor.ended and actor.at != ASLEEP:
                actor.step()
        self.settle()
        return any(actor.ended for actor in sleeping)
