"""The whole service over fakes, with everything that can happen to it at once."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from assistants.domain.ids import FileId, ProjectId, RunId, RunRef, ThreadId
from assistants.domain.model import Catalog
from assistants.domain.model_route import ModelRoute
from assistants.domain.run import RunSettings
from assistants.http.app import create_app
from assistants.ports.hosted_tool import ToolAnswer, ToolUse
from assistants.services.backend import Backend
from assistants.services.ports import Ports
from assistants.services.storage import keys
from tests.engine.contract import ENDED, Contract
from tests.engine.machine import Machine
from tests.engine.schedule import Actor, current, stop
from tests.engine.scripted_model import Theatre
from tests.engine.table import SharedTable
from tests.support.deployment import WEATHER, Answer, Client
from tests.support.fakes import FakeBlobs, FakeClock

TTL_SECONDS = 600
ASLEEP = "a pause"
_STEPS = 5000


class Time(FakeClock):
    """Time that only the test moves; who sleeps waits for the next step."""

    def sleep(self, seconds: float) -> None:
        assert current(), "there is nothing left to wait for"
        stop(ASLEEP)


class DirectClient(Client):
    """Without an event loop: nothing in the application waits for one."""

    def request(
        self,
        method: str,
        url: str,
        body: Any = None,
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
    ) -> Answer:
        content = b"" if body is None else json.dumps(body).encode()
        given = {
            "authorization": f"Bearer {self._key}",
            "openai-beta": "assistants=v2",
            **(headers or {}),
        }
        path, _, query = url.partition("?")
        exchange = self._exchange(method, path, query, given, content)
        try:
            exchange.send(None)
        except StopIteration as end:
            answer: Answer = end.value
            return answer
        raise AssertionError("the application waits for something")


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


class Calculator:
    """A tool of the server. It may be asked twice for one answer, and dies as functions do. Every
    answer comes with an image, named by the number of the call.
    """

    def prepare(self, project: ProjectId, run: RunSettings, **_: Any) -> None:
        stop("the tool's preparation")

    def answer(self, use: ToolUse) -> ToolAnswer:
        stop("the tool")
        log = {"index": 0, "type": "logs", "logs": "42"}
        image = FileId(f"file-{use.number:03d}")
        return ToolAnswer(f"result of {use.id}", {"outputs": [log]}, images=(image,))


@dataclass
class QueuedPurges:
    """The purge queue: a message is delivered at least once."""

    world: "World"

    def send(self, project: ProjectId, identifier: str) -> None:
        stop("SendMessage")
        self.world.deliver(project, identifier)


@dataclass
class World:
    """`requests` are all API calls so far, `actors` all that is going on; `damage` says to which
    runs something happened that may have made them fail, `silenced` in which threads a call of
    the machine may have been lost, so that only the sweep goes on with their runs.
    """

    catches: bool = True
    tells: bool = True
    actors: list[Actor] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    theatre: Theatre = field(default_factory=Theatre)
    clock: Time = field(default_factory=Time)
    damage: set[str] = field(default_factory=set)
    silenced: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.contract = Contract(self.clock.time)
        self.table = SharedTable(self.contract.watch)
        self.machine = Machine(self.clock, self.actors, catches=self.catches, tells=self.tells)
        self.backend = Backend(
            Ports(
                table=self.table,
                blobs=FakeBlobs(),
                executions=self.machine,
                purge_queue=QueuedPurges(self),
                model=self.theatre,
                catalog=Catalog({"played": ModelRoute()}, endpoint_configured=True),
                clock=self.clock,
                auth="open",
                run_ttl_seconds=TTL_SECONDS,
                tools={"code_interpreter": Calculator(), "file_search": Calculator()},
            )
        )
        self.machine.backend = self.backend
        self.api = DirectClient(create_app(self.backend))
        self._purges: dict[Actor, tuple[ProjectId, str]] = {}
        tools = [WEATHER, {"type": "code_interpreter"}, {"type": "file_search"}]
        assistant = self.api.post("/assistants", {"model": "played", "tools": tools})
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
        """Begin an API call; the test lets it go on."""
        given = {**(headers or {}), **({"idempotency-key": key} if key else {})}
        actor = Actor(f"{method} {url}", lambda: self.api.request(method, url, body, headers=given))
        self.actors.append(actor)
        made = Request(
            kind, actor, method, url, body, given, self.contract.moment, run_id=run_id, key=key
        )
        self.requests.append(made)
        return made

    def again(self, made: Request) -> None:
        """The same call once more."""
        self.request(made.kind, made.method, made.url, made.body, run_id=made.run_id, key=made.key)

    @property
    def runs(self) -> list[tuple[str, str]]:
        """Threads and runs that were ever there."""
        threads = self.contract.threads
        return [(thread_id, run_id) for thread_id in threads for run_id in threads[thread_id]]

    def ref(self, thread_id: str, run_id: str) -> RunRef:
        return RunRef(self.project, ThreadId(thread_id), RunId(run_id))

    @property
    def waiting(self) -> list[tuple[tuple[str, str], list[str]]]:
        """The runs that wait for outputs, with their calls."""
        found = []
        for ids in self.runs:
            row = self.table.rows.get(keys.run_state(self.ref(*ids)))
            if action := row and row.body["required_action"]:
                calls = action["submit_tool_outputs"]["tool_calls"]
                found.append((ids, [call["id"] for call in calls]))
        return found

    def kill(self, actor: Actor) -> None:
        actor.kill()
        self.damage.add(actor.name.rpartition(" ")[2])
        self.silenced.update(each.thread_id for each in self.requests if each.actor is actor)
        self.settle()

    def abort(self, run_id: str) -> None:
        """Somebody stops the execution."""
        self.damage.add(run_id)
        self.machine.abort(run_id)
        self.settle()

    def repeat(self, run_id: str) -> None:
        """The function of the present state is invoked twice."""
        self.damage.add(run_id)
        self.machine.repeat(run_id)

    def throttle(self, refuses: bool) -> None:
        """Whether Step Functions takes calls; waits that are not called back may be retried."""
        self.machine.refuses = refuses
        self.damage.update(self.contract.history)
        self.silenced.update(each.thread_id for each in self.requests)

    def sweep(self) -> None:
        """The Expire function's minute."""
        self.actors.append(Actor("Expire", lambda: self.backend.maintenance.sweeper.sweep()))

    def deliver(self, project: ProjectId, thread_id: str) -> None:
        actor = Actor(
            "Purge", lambda: self.backend.maintenance.purge.work(project, thread_id, seconds=0)
        )
        self._purges[actor] = project, thread_id
        self.actors.append(actor)

    def settle(self) -> None:
        """After each step: what has ended has its consequences."""
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
        """Let everything go on, nothing fail any more and time pass, with a sweep each minute."""
        self.machine.refuses = False
        self.go_on()
        self._nobody_waits_for_the_sweep()
        over = self.clock.now + 60 * minutes
        while self.clock.now < over and (self.actors or self._something_is_due()):
            self.pass_time(60)
            self.sweep()
            self.go_on()

    def _something_is_due(self) -> bool:
        return any(row.due_at for row in self.table.rows.values())

    def pass_time(self, seconds: float, *, busy: bool = False) -> None:
        """Each timer of the machine goes off in its time; those that are not `busy` go on then."""
        until = self.clock.now + seconds
        while self.clock.now < until:
            self.clock.now = min([until, *self.machine.timers(self.clock.now)])
            self.settle()
            if not busy:
                self.go_on()

    def _nobody_waits_for_the_sweep(self) -> None:
        """Unless it must: what its own machine or function can go on with goes on at once."""
        for thread_id, run_id in self.runs:
            execution = self.machine.executions.get(run_id)
            status = self.contract.statuses(run_id)[-1]
            if thread_id in self.silenced or status in ENDED or not execution:
                continue
            if any(attempt.actor.at == ASLEEP for attempt in execution.attempts):
                # It waits for a worker that took its turn, and died without anybody's knowledge.
                assert run_id in self.damage, "a worker waits for nothing"
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
        """Everybody goes on, one step each in turn, until all that are left wait for others."""
        for _ in range(rounds):
            awake = [actor for actor in self.actors if actor.at != ASLEEP]
            if not awake and not self._wake():
                return
            for actor in awake:
                actor.step()
            self.settle()
        assert rounds < _STEPS, f"these go on for ever: {self.actors}"

    def _wake(self) -> bool:
        """Let those that sleep look once; whether that was the end of any."""
        sleeping = list(self.actors)
        for actor in sleeping:
            actor.step()
            while not actor.ended and actor.at != ASLEEP:
                actor.step()
        self.settle()
        return any(actor.ended for actor in sleeping)
