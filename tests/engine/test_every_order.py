"""Two at once, in every order with two changes of turn, from every state that a run can be in.

What random interleavings find by luck is found here for certain: one goes some steps, the other
some, then both go on to their ends.
"""

from collections.abc import Callable, Iterator
from itertools import combinations_with_replacement

import pytest
from hypothesis import settings

from assistants.services.turns import service as turns
from tests.engine.invariants import Verdict
from tests.engine.schedule import Actor
from tests.engine.scripted_model import Ending, Play, Turn, by_beats
from tests.engine.simulation import ASLEEP, World

HELLO = {"role": "user", "content": "Hello"}
MINUTES = 14
STRIDE = 1 if settings.get_current_profile_name() == "long" else 6
"""Of how many orders one is played; all of them in `make test-engine`."""


class Scene:
    """A world with one thread, on which a run is in some state."""

    def __init__(self, *endings: Ending) -> None:
        self.world = World()
        self.world.theatre.plays["run"] = Play([Turn(("word, written",), each) for each in endings])
        self.thread = f"/threads/{self.world.api.post('/threads', {'messages': [HELLO]})['id']}"
        self.run_id = ""

    def create(self) -> Actor:
        body = {"assistant_id": self.world.assistant_id, "instructions": "run"}
        return self.world.request("create", "POST", f"{self.thread}/runs", body, key="key").actor

    def say(self) -> Actor:
        return self.world.request("say", "POST", f"{self.thread}/messages", HELLO).actor

    def delete(self) -> Actor:
        return self.world.request("delete", "DELETE", self.thread).actor

    def cancel(self) -> Actor:
        return self._ask("cancel", "/cancel")

    def modify(self) -> Actor:
        return self._ask("modify", "", {"metadata": {"n": "1"}})

    def submit(self, output: str = "sunny") -> Actor:
        outputs = [
            {"tool_call_id": call, "output": output}
            for _, calls in self.world.waiting
            for call in calls
        ]
        return self._ask("submit", "/submit_tool_outputs", {"tool_outputs": outputs})

    def submit_otherwise(self) -> Actor:
        return self.submit("rainy")

    def delete_message(self) -> Actor:
        return self._use_message("DELETE")

    def modify_message(self) -> Actor:
        """Without a change that the verdict would have to know."""
        return self._use_message("POST", {"metadata": {}})

    def sweep(self) -> Actor:
        self.world.sweep()
        return self.world.actors[-1]

    def abort(self) -> Actor:
        """The machine is stopped, and EventBridge tells FinishRun."""
        self.world.abort(self.run_id)
        return self.world.actors[-1]

    def repeat(self) -> Actor:
        self.world.repeat(self.run_id)
        return self.world.actors[-1]

    def work(self) -> Actor:
        """The function that the machine has invoked."""
        return self.world.machine.executions[self.run_id].attempts[0].actor

    def go(self, actor: Actor, steps: int = 1000) -> int:
        """As many steps, unless it ends or waits for others before; returns how many it went."""
        gone = 0
        while gone < steps and not (actor.ended or actor.at == ASLEEP):
            actor.step()
            gone += 1
        self.world.settle()
        return gone

    def work_beside(self) -> Actor:
        """The other function that it has invoked."""
        return self.world.machine.executions[self.run_id].attempts[1].actor

    def repeat_the_first_wait(self) -> Actor:
        """An invocation that was under way for a long time."""
        ref = self.world.ref(self.thread.split("/")[2], self.run_id)
        actor = Actor("late", lambda: self.world.backend.runs.callbacks.begin(ref, 1, "token-1"))
        self.world.actors.append(actor)
        return actor

    def begin(self) -> None:
        """The run exists, and CallModel is about to work."""
        self.go(self.create())
        [(_, self.run_id)] = self.world.runs

    def _use_message(self, method: str, body: object = None) -> Actor:
        """The one that the run has begun."""
        [message] = self.said()
        return self.world.request(
            "message", method, f"{self.thread}/messages/{message}", body
        ).actor

    def said(self) -> list[str]:
        """The messages that the run has begun."""
        return [
            row.body["id"]
            for row in self.world.table.rows.values()
            if row.body.get("object") == "thread.message" and row.body["run_id"]
        ]

    def _ask(self, kind: str, suffix: str, body: object = None) -> Actor:
        url = f"{self.thread}/runs/{self.run_id}{suffix}"
        return self.world.request(kind, "POST", url, body, run_id=self.run_id).actor


def new() -> Scene:
    scene = Scene("stop")
    scene.begin()
    return scene


def speaking() -> Scene:
    """Its first word is written."""
    scene = new()
    while not scene.said():
        scene.go(scene.work(), 1)
    return scene


def calling() -> Scene:
    """AwaitToolOutputs is about to work."""
    scene = Scene("one call", "stop")
    scene.begin()
    scene.go(scene.work())
    return scene


def computing() -> Scene:
    """Two calls of a tool of the server are about to be answered, side by side."""
    scene = Scene("code", "stop")
    scene.begin()
    scene.go(scene.work())
    return scene


def computed() -> Scene:
    """One of them is answered."""
    scene = computing()
    scene.go(scene.work())
    return scene


def waiting() -> Scene:
    scene = calling()
    scene.go(scene.work())
    return scene


def waiting_again() -> Scene:
    """AwaitToolOutputs died when it had written, and is about to be repeated."""
    scene = calling()
    attempt = scene.work()
    while not scene.world.waiting:
        attempt.step()
    scene.world.kill(attempt)
    return scene


def answered() -> Scene:
    """The next turn is about to begin."""
    scene = waiting()
    scene.go(scene.submit())
    return scene


def calling_again() -> Scene:
    """The outputs of one wait are taken, and AwaitToolOutputs is about to work again."""
    scene = Scene("one call", "one call", "stop")
    scene.begin()
    scene.world.go_on()
    scene.go(scene.submit())
    scene.go(scene.work())
    return scene


def computing_later() -> Scene:
    """The outputs of a wait are taken, and two calls of a tool of the server are about to be
    answered.
    """
    scene = Scene("one call", "code", "stop")
    scene.begin()
    scene.world.go_on()
    scene.go(scene.submit())
    scene.go(scene.work())
    return scene


def overdue() -> Scene:
    """A wait that has just timed out: FinishRun is about to work."""
    scene = waiting()
    scene.world.pass_time(600, busy=True)
    return scene


def late() -> Scene:
    """Its execution was lost, and its grace is over."""
    scene = new()
    scene.world.machine.tells = False
    scene.world.abort(scene.run_id)
    scene.world.kill(scene.world.actors[0])
    scene.world.pass_time(640, busy=True)
    return scene


Act = Callable[[Scene], Actor]
CLIENTS: list[Act] = [Scene.create, Scene.cancel, Scene.modify]
OUTSIDERS: list[Act] = [Scene.say, Scene.delete]
MACHINE: list[Act] = [Scene.work, Scene.repeat, Scene.abort, Scene.sweep]
MESSAGE: list[Act] = [Scene.modify_message, Scene.delete_message]
SUBMITS: list[Act] = [Scene.submit, Scene.submit_otherwise]
SCENES: list[tuple[Callable[[], Scene], list[Act]]] = [
    (new, [*CLIENTS, *MACHINE]),
    (speaking, [*CLIENTS, *MESSAGE, *MACHINE]),
    (calling, [*CLIENTS, *MESSAGE, *MACHINE]),
    (computing, [Scene.cancel, Scene.work, Scene.work_beside, Scene.repeat, Scene.abort]),
    (computed, [Scene.cancel, *MACHINE]),
    (waiting, [*CLIENTS, *SUBMITS, Scene.abort, Scene.sweep]),
    (waiting_again, [Scene.cancel, *SUBMITS, *MACHINE]),
    (calling_again, [Scene.cancel, Scene.work, Scene.repeat_the_first_wait]),
    (computing_later, [Scene.cancel, Scene.work, Scene.repeat_the_first_wait]),
    (answered, [*CLIENTS, Scene.submit, *MACHINE]),
    (overdue, [*CLIENTS, *OUTSIDERS, *SUBMITS, Scene.work, Scene.sweep]),
    (late, [*CLIENTS, *OUTSIDERS, Scene.sweep]),
]
PAIRS = [
    (state, one, other)
    for state, acts in SCENES
    for one, other in combinations_with_replacement(acts, 2)
    if not (one is other and one in (Scene.work, Scene.work_beside, Scene.abort))
]
CASES = [
    pytest.param(*pair, 1 + number % STRIDE, id=": ".join(part.__name__ for part in pair))
    for number, pair in enumerate(PAIRS)
]


@pytest.fixture(autouse=True, scope="module")
def _played() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(turns, "flush_ticks", by_beats)
        yield


@pytest.mark.parametrize(("state", "one", "other", "start"), CASES)
def test_any_two_at_once_leave_what_the_contract_allows(
    state: Callable[[], Scene], one: Act, other: Act, start: int
) -> None:
    for first, second in dict.fromkeys([(one, other), (other, one)]):
        steps = start
        while _play_all(state, first, second, steps) == steps:
            steps += STRIDE


def _play_all(state: Callable[[], Scene], first: Act, second: Act, steps: int) -> int:
    """All orders in which the first goes `steps` before the second begins; how many it has gone."""
    others = 1 + steps % STRIDE
    while True:
        scene = state()
        one, other = first(scene), second(scene)
        before = scene.go(one, steps)
        gone = scene.go(other, others)
        scene.go(one)
        scene.go(other)
        scene.world.quiet(MINUTES)
        Verdict(scene.world).give()
        if gone < others:
            return before
        others += STRIDE
