"""Interleave, repeat, kill and delay everything at random: the contract holds."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from assistants.services.turns import service as turns
from tests.engine.invariants import Invariants
from tests.engine.schedule import Actor
from tests.engine.scripted_model import Ending, Piece, Script, Turn, scripted_ticks
from tests.engine.simulation import Simulation

PIECES: list[Piece] = ["word", "word, flushed", "word, flushed", "silence, checked"]
ENDINGS: list[Ending] = [
    *("stop", "stop", "stop", "one call", "one call", "two calls", "code", "code and call"),
    *("half a call", "length", "content_filter", "error", "defect"),
]
TURNS = st.builds(
    Turn, st.lists(st.sampled_from(PIECES), max_size=3).map(tuple), st.sampled_from(ENDINGS)
)
SCRIPTS = st.lists(TURNS, min_size=1, max_size=4)
SOME = st.integers(0, 1 << 16)  # one of as many as there are, counted round
SECONDS = [0.4, 0.4, 0.4, 1, 1, 31, 61, 599, 620, 900]
MINUTES = 14  # until every run of ten minutes and its grace are over
HELLO: list[dict[str, str]] = [{"role": "user", "content": "Hello"}]


@pytest.fixture(autouse=True, scope="module")
def _scripted_timer() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(turns, "flush_ticks", scripted_ticks)
        yield


class Interleavings(RuleBasedStateMachine):
    """Clients, workers, the machine, the sweep and time, one small step after another."""

    simulation: Simulation

    @initialize(catches=st.booleans(), notifies=st.booleans())
    def begin(self, catches: bool, notifies: bool) -> None:
        self.simulation = Simulation(catches=catches, notifies=notifies)
        self.labels = 0
        self.threads: list[str] = []

    @rule(
        some=st.integers(0, 3),
        script=SCRIPTS,
        stream=st.booleans(),
        extra=st.booleans(),
        key=st.booleans(),
    )
    def create(self, some: int, script: list[Turn], stream: bool, extra: bool, key: bool) -> None:
        """Create a run, sometimes on a thread that has one."""
        self.labels += 1
        label = f"run {self.labels}"
        self.simulation.model.scripts[label] = Script(script)
        body: dict[str, Any] = {"assistant_id": self.simulation.assistant_id, "instructions": label}
        body |= {"stream": True} if stream else {}
        body |= {"additional_messages": HELLO} if extra else {}
        if some >= len(self.threads):
            self.threads.append(self.simulation.api.post("/threads", {"messages": HELLO})["id"])
        url = f"/threads/{self.threads[some % len(self.threads)]}/runs"
        self.simulation.request("create", "POST", url, body, key=label if key else "")

    @precondition(lambda self: self.simulation.requests)
    @rule(some=SOME, kind=st.sampled_from(["create", "submit", "cancel", "delete", "say"]))
    def repeat_a_request(self, some: int, kind: str) -> None:
        """Repeat it as a client does that got no answer; a creation only if it has a key."""
        made = [each for each in self.simulation.requests if each.kind == kind]
        made = [each for each in made if each.key or kind != "create"]
        if made:
            self.simulation.again(made[some % len(made)])

    @precondition(lambda self: self.threads)
    @rule(some=SOME, delete=st.sampled_from([False, False, False, True]))
    def use_the_thread(self, some: int, delete: bool) -> None:
        url = f"/threads/{self.threads[some % len(self.threads)]}"
        if delete:
            self.simulation.request("delete", "DELETE", url)
        else:
            self.simulation.request("say", "POST", f"{url}/messages", HELLO[0])

    @precondition(lambda self: self.simulation.runs)
    @rule(
        some=SOME,
        after=st.integers(0, 40),
        kind=st.sampled_from(["cancel", "cancel", "modify", "watch"]),
    )
    def use_the_run(self, some: int, after: int, kind: str) -> None:
        match kind:
            case "cancel":
                self._ask(kind, some, "POST", "/cancel")
            case "modify":
                self._ask(kind, some, "POST", "", {"metadata": {"n": str(some)}})
            case "watch":
                headers = {"last-event-id": str(after)}
                self._ask(kind, some, "GET", "/events", headers=headers)

    @precondition(lambda self: self.simulation.waiting)
    @rule(
        some=SOME,
        text=st.sampled_from(["sunny", "sunny", "sunny", "rainy"]),
        partial=st.sampled_from([False] * 5 + [True]),
        stream=st.booleans(),
    )
    def submit(self, some: int, text: str, partial: bool, stream: bool) -> None:
        ids, calls = self.simulation.waiting[some % len(self.simulation.waiting)]
        outputs = [{"tool_call_id": call, "output": text} for call in calls]
        body: dict[str, Any] = {"tool_outputs": outputs[1:] if partial else outputs}
        body |= {"stream": True} if stream else {}
        url = f"/threads/{ids[0]}/runs/{ids[1]}/submit_tool_outputs"
        self.simulation.request("submit", "POST", url, body, run_id=ids[1])

    @precondition(lambda self: self.simulation.actors)
    @rule(some=SOME, steps=st.integers(1, 12))
    def step(self, some: int, steps: int) -> None:
        self._step(self._an_actor(some), steps)

    @precondition(lambda self: self.simulation.actors)
    @rule(some=st.integers(1, 3), steps=st.integers(1, 20))
    def step_a_new_one(self, some: int, steps: int) -> None:
        self._step(self._an_actor(-some), steps)

    @rule(answers=st.integers(0, 2))
    def go_on(self, answers: int) -> None:
        """Let everything go on, and answer waiting runs a number of times."""
        self.simulation.go_on()
        for _ in range(answers):
            for number in range(len(self.simulation.waiting)):
                self.submit(number, "sunny", partial=False, stream=False)
            self.simulation.go_on()

    @precondition(lambda self: self.simulation.actors)
    @rule(rounds=st.integers(1, 30))
    def go_on_a_little(self, rounds: int) -> None:
        self.simulation.go_on(rounds)

    @precondition(lambda self: self.simulation.actors)
    @rule(some=SOME, steps=st.integers(0, 8))
    def kill(self, some: int, steps: int) -> None:
        actor = self._an_actor(some)
        self._step(actor, steps)
        self.simulation.kill(actor)

    @precondition(lambda self: self.simulation.actors)
    @rule(some=SOME)
    def lose_the_answer_to_a_write(self, some: int) -> None:
        self._an_actor(some).repeats_write = True

    @rule(seconds=st.sampled_from(SECONDS), busy=st.booleans())
    def time_passes(self, seconds: float, busy: bool) -> None:
        self.simulation.pass_time(seconds, busy=busy)

    @rule()
    def sweep(self) -> None:
        self.simulation.sweep()

    @precondition(lambda self: self.simulation.runs)
    @rule(some=SOME, kind=st.sampled_from(["abort", "repeat", "repeat", "refuse", "take"]))
    def disturb_the_machine(self, some: int, kind: str) -> None:
        run_id = self._a_run(some)[1]
        match kind:
            case "abort":
                self.simulation.abort(run_id)
            case "repeat":
                self.simulation.repeat(run_id)
            case _:
                self.simulation.throttle(kind == "refuse")

    def teardown(self) -> None:
        if hasattr(self, "simulation"):
            self.simulation.quiet(MINUTES)
            Invariants(self.simulation).check()

    def _an_actor(self, some: int) -> Actor:
        return self.simulation.actors[some % len(self.simulation.actors)]

    def _a_run(self, some: int) -> tuple[str, str]:
        """Choose one of the newest runs."""
        runs = sorted(self.simulation.runs, key=lambda ids: ids[1])[-3:]
        return runs[some % len(runs)]

    def _step(self, actor: Actor, steps: int) -> None:
        for _ in range(steps):
            if not actor.ended:
                actor.step()
        self.simulation.settle()

    def _ask(
        self, kind: str, some: int, method: str, suffix: str, body: Any = None, **others: Any
    ) -> None:
        thread_id, run_id = self._a_run(some)
        url = f"/threads/{thread_id}/runs/{run_id}{suffix}"
        self.simulation.request(kind, method, url, body, run_id=run_id, **others)


TestInterleavings = Interleavings.TestCase
TestInterleavings.settings = settings(
    max_examples=max(200, settings().max_examples),
    stateful_step_count=50,
    suppress_health_check=list(HealthCheck),
)
