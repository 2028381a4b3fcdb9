"""Two actions at once, from every state of a run, in every order with two changes of turn.

This finds for certain what random interleavings find by luck: one action goes some steps, the other
some, then both go on to their ends.
"""

from collections.abc import Callable, Iterator
from itertools import combinations_with_replacement

import pytest
from hypothesis import settings

from assistants.services.turns import service as turns
from tests.engine.invariants import Invariants
from tests.engine.schedule import Actor
from tests.engine.scripted_model import Ending, Script, Turn, scripted_ticks
from tests.engine.simulation import ASLEEP, Simulation

HELLO = {"role": "user", "content": "Hello"}
MINUTES = 14
STRIDE = 1 if settings.get_current_profile_name() == "long" else 6
"""One order of this many is tried; all of them in `make test-engine`."""


class Situation:
    """A simulation with one thread, on which a run is in some state."""

    def __init__(self, *endings: Ending) -> None:
        self.simulation = Simulation()
        turns = [Turn(("word, flushed",), each) for each in endings]
        self.simulation.model.scripts["run"] = Script(turns)
        thread = self.simulation.api.post("/threads", {"messages": [HELLO]})
        self.thread = f"/threads/{thread['id']}"
        self.run_id = ""

    def create(self) -> Actor:
        body = {"assistant_id": self.simulation.assistant_id, "instructions": "run"}
        url = f"{self.thread}/runs"
        return self.simulation.request("create", "POST", url, body, key="key").actor

    def say(self) -> Actor:
        return self.simulation.request("say", "POST", f"{self.thread}/messages", HELLO).actor

    def delete(self) -> Actor:
        return self.simulation.request("delete", "DELETE", self.thread).actor

    def cancel(self) -> Actor:
        return self._ask("cancel", "/cancel")

    def modify(self) -> Actor:
        return self._ask("modify", "", {"metadata": {"n": "1"}})

    def submit(self, output: str = "sunny") -> Actor:
        outputs = [
            {"tool_call_id": call, "output": output}
            for _, calls in self.simulation.waiting
            for call in calls
        ]
        return self._ask("submit", "/submit_tool_outputs", {"tool_outputs": outputs})

    def submit_otherwise(self) -> Actor:
        return self.submit("rainy")

    def delete_message(self) -> Actor:
        return self._use_message("DELETE")

    def modify_message(self) -> Actor:
        """Modify a message without a change that the invariants would have to know."""
        return self._use_message("POST", {"metadata": {}})

    def sweep(self) -> Actor:
        self.simulation.sweep()
        return self.simulation.actors[-1]

    def abort(self) -> Actor:
        """Stop the execution, which EventBridge reports to FinishRun."""
        self.simulation.abort(self.run_id)
        return self.simulation.actors[-1]

    def repeat(self) -> Actor:
        self.simulation.repeat(self.run_id)
        return self.simulation.actors[-1]

    def work(self) -> Actor:
        """Return the function that the machine has invoked."""
        return self.simulation.machine.executions[self.run_id].attempts[0].actor

    def go(self, actor: Actor, steps: int = 1000) -> int:
        """Go so many steps, unless it ends or waits for others; return how many it went."""
        gone = 0
        while gone < steps and not (actor.ended or actor.at == ASLEEP):
            actor.step()
            gone += 1
        self.simulation.settle()
        return gone

    def other_work(self) -> Actor:
        """Return the other function that the machine has invoked."""
        return self.simulation.machine.executions[self.run_id].attempts[1].actor

    def repeat_first_wait(self) -> Actor:
        """Begin the first wait again, as an invocation does that was slow to start."""
        ref = self.simulation.ref(self.thread.split("/")[2], self.run_id)
        callbacks = self.simulation.backend.runs.callbacks
        actor = Actor("late wait", lambda: callbacks.begin(ref, 1, "token-1"))
        self.simulation.actors.append(actor)
        return actor

    def begin(self) -> None:
        """Create the run, so that CallModel is about to work."""
        self.go(self.create())
        [(_, self.run_id)] = self.simulation.runs

    def _use_message(self, method: str, body: object = None) -> Actor:
        """Use the message that the run has begun."""
        [message] = self.messages()
        return self.simulation.request(
            "message", method, f"{self.thread}/messages/{message}", body
        ).actor

    def messages(self) -> list[str]:
        """Return the messages that the run has begun."""
        return [
            row.body["id"]
            for row in self.simulation.table.rows.values()
            if row.body.get("object") == "thread.message" and row.body["run_id"]
        ]

    def _ask(self, kind: str, suffix: str, body: object = None) -> Actor:
        url = f"{self.thread}/runs/{self.run_id}{suffix}"
        return self.simulation.request(kind, "POST", url, body, run_id=self.run_id).actor


def new() -> Situation:
    situation = Situation("stop")
    situation.begin()
    return situation


def speaking() -> Situation:
    """Let the run write its first word."""
    situation = new()
    while not situation.messages():
        situation.go(situation.work(), 1)
    return situation


def calling() -> Situation:
    """Bring the run to where AwaitToolOutputs is about to work."""
    situation = Situation("one call", "stop")
    situation.begin()
    situation.go(situation.work())
    return situation


def computing() -> Situation:
    """Bring the run to two calls of a tool of the server, to be answered at once."""
    situation = Situation("code", "stop")
    situation.begin()
    situation.go(situation.work())
    return situation


def computed() -> Situation:
    """Answer one of two calls of a tool of the server."""
    situation = computing()
    situation.go(situation.work())
    return situation


def waiting() -> Situation:
    situation = calling()
    situation.go(situation.work())
    return situation


def waiting_again() -> Situation:
    """Kill AwaitToolOutputs after its write, so that it is about to be repeated."""
    situation = calling()
    attempt = situation.work()
    while not situation.simulation.waiting:
        attempt.step()
    situation.simulation.kill(attempt)
    return situation


def answered() -> Situation:
    """Bring the run to where its next turn is about to begin."""
    situation = waiting()
    situation.go(situation.submit())
    return situation


def calling_again() -> Situation:
    """Submit the outputs of one wait, so that AwaitToolOutputs is about to work again."""
    situation = Situation("one call", "one call", "stop")
    situation.begin()
    situation.simulation.go_on()
    situation.go(situation.submit())
    situation.go(situation.work())
    return situation


def computing_later() -> Situation:
    """Submit the outputs of a wait; two calls of a tool of the server are about to be answered."""
    situation = Situation("one call", "code", "stop")
    situation.begin()
    situation.simulation.go_on()
    situation.go(situation.submit())
    situation.go(situation.work())
    return situation


def timed_out() -> Situation:
    """Let a wait time out, so that FinishRun is about to work."""
    situation = waiting()
    situation.simulation.pass_time(600, busy=True)
    return situation


def abandoned() -> Situation:
    """Lose the execution, and let the run's grace pass."""
    situation = new()
    situation.simulation.machine.notifies = False
    situation.simulation.abort(situation.run_id)
    situation.simulation.kill(situation.simulation.actors[0])
    situation.simulation.pass_time(640, busy=True)
    return situation


Action = Callable[[Situation], Actor]
CLIENTS: list[Action] = [Situation.create, Situation.cancel, Situation.modify]
OUTSIDERS: list[Action] = [Situation.say, Situation.delete]
MACHINE: list[Action] = [Situation.work, Situation.repeat, Situation.abort, Situation.sweep]
MESSAGE: list[Action] = [Situation.modify_message, Situation.delete_message]
SUBMITS: list[Action] = [Situation.submit, Situation.submit_otherwise]
SITUATIONS: list[tuple[Callable[[], Situation], list[Action]]] = [
    (new, [*CLIENTS, *MACHINE]),
    (speaking, [*CLIENTS, *MESSAGE, *MACHINE]),
    (calling, [*CLIENTS, *MESSAGE, *MACHINE]),
    (
        computing,
        [Situation.cancel, Situation.work, Situation.other_work, Situation.repeat, Situation.abort],
    ),
    (computed, [Situation.cancel, *MACHINE]),
    (waiting, [*CLIENTS, *SUBMITS, Situation.abort, Situation.sweep]),
    (waiting_again, [Situation.cancel, *SUBMITS, *MACHINE]),
    (calling_again, [Situation.cancel, Situation.work, Situation.repeat_first_wait]),
    (computing_later, [Situation.cancel, Situation.work, Situation.repeat_first_wait]),
    (answered, [*CLIENTS, Situation.submit, *MACHINE]),
    (timed_out, [*CLIENTS, *OUTSIDERS, *SUBMITS, Situation.work, Situation.sweep]),
    (abandoned, [*CLIENTS, *OUTSIDERS, Situation.sweep]),
]
PAIRS = [
    (state, one, other)
    for state, actions in SITUATIONS
    for one, other in combinations_with_replacement(actions, 2)
    if not (one is other and one in (Situation.work, Situation.other_work, Situation.abort))
]
CASES = [
    pytest.param(*pair, 1 + number % STRIDE, id=": ".join(part.__name__ for part in pair))
    for number, pair in enumerate(PAIRS)
]


@pytest.fixture(autouse=True, scope="module")
def _scripted_timer() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(turns, "flush_ticks", scripted_ticks)
        yield


@pytest.mark.parametrize(("state", "one", "other", "start"), CASES)
def test_any_two_at_once_leave_what_the_contract_allows(
    state: Callable[[], Situation], one: Action, other: Action, start: int
) -> None:
    for first, second in dict.fromkeys([(one, other), (other, one)]):
        steps = start
        while _run_all(state, first, second, steps) == steps:
            steps += STRIDE


def _run_all(state: Callable[[], Situation], first: Action, second: Action, steps: int) -> int:
    """Try all orders in which the first goes `steps` before the second begins; return how many
    steps it has gone.
    """
    others = 1 + steps % STRIDE
    while True:
        situation = state()
        one, other = first(situation), second(situation)
        before = situation.go(one, steps)
        gone = situation.go(other, others)
        situation.go(one)
        situation.go(other)
        situation.simulation.quiet(MINUTES)
        Invariants(situation.simulation).check()
        if gone < others:
            return before
        others += STRIDE
