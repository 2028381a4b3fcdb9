"""Random interleavings of clients, workers, deaths and time, against what must always hold.

A rule is one thing that somebody does; any write of it may be the last that its process does. What
must hold is checked after each of them, and once all is quiet: no run is left, no thread is locked.
"""

from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from assistants.domain import lifecycle
from assistants.domain.run import RunStatus
from assistants.ports.chat_model import CallFragment, Finish, ModelError
from tests.unit.deployment import WEATHER, Answer, Deployment, outputs, path
from tests.unit.fakes import FakeClock, Script
from tests.unit.stream_reader import StreamReader
from tests.unit.test_crashes import Death, MortalStore, streams

CALL = CallFragment(0, id="a", name="weather", arguments="{}")
SCRIPTS: dict[str, Script] = {
    "text": ["Hello ", "big ", "world"],
    "call": ["Let me see. ", CALL],
    "cut": ["Once upon", Finish("length")],
    "filtered": ["Take some", Finish("content_filter")],
    "error": [ModelError("server_error", "No.")],
    "breaks": ["Hel", "lo ", ModelError("server_error", "Gone.")],
    "dies": ["Hel", "lo ", Death()],
    "empty": [],
}
MEANWHILE = ("cancel", "take over", "finish", "pass time", "sweep", "rename")
# Mostly all goes well, for else no run would come far.
scripts = st.sampled_from(["text", "call", "call"]) | st.sampled_from(sorted(SCRIPTS))
meanwhiles = st.just("nothing") | st.just("nothing") | st.sampled_from(MEANWHILE)
deaths = st.none() | st.none() | st.tuples(st.integers(1, 4), st.booleans())
pick = st.integers(0, 9)


def reachable(before: RunStatus) -> set[RunStatus]:
    """The statuses that a run may have been brought to, in one or several changes or none."""
    found: set[RunStatus] = {before}
    for _ in lifecycle.TRANSITIONS:
        found |= {after for status in found for after in lifecycle.TRANSITIONS[status]}
    return found


class Execution:
    """Where the state machine of one run is."""

    def __init__(self, run: dict[str, Any]) -> None:
        self.run = run
        self.state = "CallModel"
        self.turn = 0
        self.token = ""
        self.deaths = 0


class Engine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.store = MortalStore()
        clock = FakeClock(step=0.4)  # so that a turn is written in several pieces
        self.deployment = Deployment(machine=False, store=self.store, clock=clock)
        self.assistant = self.deployment.assistant(tools=[WEATHER])
        self.threads = [self.deployment.thread("Hello") for _ in range(2)]
        self.executions: list[Execution] = []
        self.seen: dict[str, dict[str, Any]] = {}
        self.tokens = 0

    # What clients do

    @initialize()
    def begin(self) -> None:
        self.create(0, None)

    @rule(thread=pick, death=deaths)
    def run(self, thread: int, death: Any) -> None:
        self.create(thread, death)

    def create(self, thread: int, death: Any) -> None:
        thread_id = self.threads[thread % 2]
        url = f"/threads/{thread_id}/runs"
        known = {run["id"] for run in self._runs(thread_id)}
        self._request("POST", url, {"assistant_id": self.assistant}, death)
        made = [run for run in self._runs(thread_id) if run["id"] not in known]
        self.executions += [Execution(run) for run in made]

    @rule(which=pick, output=st.sampled_from(["sunny", "rainy"]), death=deaths)
    def submit(self, which: int, output: str, death: Any) -> None:
        if (execution := self._pick(which)) is None:
            return
        run = self.deployment.again(execution.run)
        if run["status"] == "requires_action":
            execution.run = run
        if execution.run["required_action"]:
            body = outputs(execution.run, output)
            self._request("POST", f"{path(run)}/submit_tool_outputs", body, death)

    @rule(which=pick, death=deaths)
    def cancel(self, which: int, death: Any) -> None:
        if execution := self._pick(which):
            self._request("POST", f"{path(execution.run)}/cancel", None, death)

    @rule(which=pick, death=deaths)
    def rename(self, which: int, death: Any) -> None:
        if execution := self._pick(which):
            self._request("POST", path(execution.run), {"metadata": {"a": "b"}}, death)

    @rule(thread=pick)
    def say(self, thread: int) -> None:
        thread_id = self.threads[thread % 2]
        active = [run for run in self._runs(thread_id) if _active(run)]
        assert self.deployment.is_free(thread_id) == (not active)

    # What the state machine does

    @rule(which=pick, script=scripts, meanwhile=meanwhiles, death=deaths)
    def step(self, which: int, script: str, meanwhile: str, death: Any) -> None:
        if (execution := self._pick(which)) is None:
            return
        first, *rest = [*SCRIPTS[script], Finish()]
        act = self._act(execution, meanwhile)
        self.deployment.model.turns = [[first, act, *rest], SCRIPTS["text"], SCRIPTS["call"]]
        try:
            self._mortal(death, lambda: self._advance(execution))
            execution.deaths = 0
        except Death:
            execution.deaths += 1
            if execution.deaths == 2:
                self.deployment.finish(execution.run)
                execution.state = "Ended"

    def _advance(self, execution: Execution) -> None:
        if execution.state == "CallModel":
            outcome = self.deployment.turn(execution.run, execution.turn)
            execution.turn = outcome["turn"]
            execution.state = "AwaitToolOutputs" if outcome["next"] == "action" else "Ended"
        if execution.state == "AwaitToolOutputs":
            self.tokens += 1
            execution.token = f"token-{self.tokens}"
            self.deployment.wait(execution.run, execution.token)
            execution.state = "waiting"
        elif execution.state == "waiting":
            resumed = {token for token, _ in self.deployment.executions.resumed}
            if execution.token in resumed:
                execution.state = "CallModel"

    @rule(which=pick, turn=st.integers(0, 3))
    def repeat(self, which: int, turn: int) -> None:
        """A state that was over is done once more, as after an answer that was lost."""
        execution = self._pick(which)
        if execution is not None and turn < execution.turn:
            self.deployment.model.turns = []
            self.deployment.turn(execution.run, turn)

    # What nobody does

    @rule(seconds=st.sampled_from([1, 20, 20, 65, 65, 700]))
    def pass_time(self, seconds: int) -> None:
        self.deployment.clock.now += seconds

    @rule(death=deaths)
    def sweep(self, death: Any) -> None:
        self._mortal(death, self.deployment.backend.overdue.sweep)

    @invariant()
    def statuses_change_only_as_they_may(self) -> None:
        for thread_id in self.threads:
            runs = self._runs(thread_id)
            assert sum(map(_active, runs)) <= 1
            for run in runs:
                before = self.seen.get(run["id"], {"status": "queued"})
                assert run["status"] in reachable(before["status"])
                if before["status"] in lifecycle.TERMINAL:
                    assert {**run, "metadata": {}} == {**before, "metadata": {}}
                self.seen[run["id"]] = run

    @invariant()
    def only_active_runs_have_anything_open(self) -> None:
        for execution in self.executions:
            run = self.deployment.again(execution.run)
            made = [*self.deployment.steps(run), *self.deployment.messages(run)]
            if not _active(run):
                assert all(each["status"] != "in_progress" for each in made)

    def teardown(self) -> None:
        for _ in range(3):
            self.deployment.clock.now += 700
            self.deployment.backend.overdue.sweep()
        for execution in self.executions:
            run = self.deployment.again(execution.run)
            assert run["status"] in lifecycle.TERMINAL
            self._check_told(run)
        assert all(map(self.deployment.is_free, self.threads))

    def _check_told(self, run: dict[str, Any]) -> None:
        events = self.deployment.events(run)
        for stream in streams(events):
            StreamReader().read(stream)
        assert events[-1].name == f"thread.run.{run['status']}"
        told = [event.data for event in events if event.name.endswith("message.created")]
        messages = self.deployment.messages(run)
        assert [each["id"] for each in messages] == [each["id"] for each in told]

    def _act(self, execution: Execution, meanwhile: str) -> Callable[[], None]:
        """What happens while the model is speaking, before it has said its second word."""
        run = execution.run
        acts: dict[str, Callable[[], Any]] = {
            "nothing": lambda: None,
            "cancel": lambda: self.deployment.api.request("POST", f"{path(run)}/cancel"),
            "take over": lambda: self.deployment.turn(run, execution.turn),
            "finish": lambda: self.deployment.finish(run),
            "pass time": lambda: self.pass_time(700),
            "sweep": self.deployment.backend.overdue.sweep,
            "rename": lambda: self.deployment.api.post(path(run), {"metadata": {"c": "d"}}),
        }

        def act() -> None:
            acts[meanwhile]()

        return act

    def _request(self, method: str, url: str, body: Any, death: Any) -> Answer:
        answer: Answer = self._mortal(death, lambda: self.deployment.api.request(method, url, body))
        assert answer.status in (200, 400, *([500] if death else [])), answer.body
        return answer

    def _mortal(self, death: tuple[int, bool] | None, act: Callable[[], Any]) -> Any:
        """Do something; the process dies at one of its writes, before or after it is done."""
        if death is not None:
            self.store.dies_at, self.store.after = self.store.writes + death[0], death[1]
        try:
            return act()
        finally:
            self.store.dies_at = None

    def _pick(self, which: int) -> Execution | None:
        """One of the newest executions."""
        newest = self.executions[-3:]
        return newest[which % len(newest)] if newest else None

    def _runs(self, thread_id: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.deployment.api.get(
            f"/threads/{thread_id}/runs?order=asc&limit=100"
        )["data"]
        return found


def _active(run: dict[str, Any]) -> bool:
    return run["status"] not in lifecycle.TERMINAL


TestEngine = Engine.TestCase
TestEngine.settings = settings(
    max_examples=25,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
