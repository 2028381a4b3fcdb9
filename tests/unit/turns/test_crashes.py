"""Kill any process before or after any write: the run ends, its thread is free, and nothing was
written, asked or streamed twice.

The machine repeats a state whose worker died, as the state machine's `Retry` does, and gives the
run up when the repetition dies, too. What was left undone is found by the sweep.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from assistants.ports.chat_model import Delta, ModelRequest, ToolCallDelta
from assistants.ports.table import Write
from tests.support.api_client import Event
from tests.support.crashes import CrashError
from tests.support.deployment import Deployment, outputs, path
from tests.support.fakes import FakeClock, FakeTable, Script, ScriptedModel
from tests.support.stream_reader import StreamReader

CALL = ToolCallDelta(0, id="a", name="weather", arguments="{}")
TERMINAL = {"completed", "failed", "cancelled", "expired", "incomplete"}


class MortalTable(FakeTable):
    """A table whose creator dies at one of the writes of its own thread, before or after it."""

    def __init__(self) -> None:
        super().__init__()
        self.writes = 0
        self.dies_at: int | None = None
        self.after = False
        self._thread = threading.get_ident()

    def commit(self, *writes: Write) -> None:
        dies = False
        if threading.get_ident() == self._thread:
            self.writes += 1
            dies = self.writes == self.dies_at
        if dies and not self.after:
            raise CrashError
        super().commit(*writes)
        if dies:
            raise CrashError


class RepeatingModel(ScriptedModel):
    """Says the same in the same turn, however often it is asked."""

    def stream(self, request: ModelRequest) -> Iterator[Delta]:
        turn = sum(message["role"] == "tool" for message in request.messages)
        return ScriptedModel(self.turns[turn]).stream(request)


class Scenario:
    """One run from its creation to its end, by a client and a machine that repeat what failed."""

    def __init__(self, *script: Script, cancels: bool = False) -> None:
        self.table = MortalTable()
        self.deployment = Deployment(
            *script, machine=False, table=self.table, clock=FakeClock(step=0.4)
        )
        object.__setattr__(self.deployment.backend.ports, "model", RepeatingModel(*script))
        self._cancels = cancels
        self._assistant = self.deployment.assistant(
            tools=[{"type": "function", "function": {"name": "weather"}}]
        )
        self.thread_id = self.deployment.thread("Hello")
        self.table.writes = 0

    def play(self) -> dict[str, Any]:
        url = f"/threads/{self.thread_id}/runs"
        body = {"assistant_id": self._assistant}
        run: dict[str, Any] = self._request("POST", url, body)
        state: dict[str, Any] = {"next": "call", "turn": 0}
        while state["next"] != "done":
            state = self._state(run, state)
        self.deployment.clock.now += 700
        for _ in range(2):
            self.deployment.backend.maintenance.sweeper.sweep()
        return self.deployment.again(run)

    def _state(self, run: dict[str, Any], state: dict[str, Any]) -> dict[str, Any]:
        if state["next"] == "call":
            return self._repeated(run, lambda: self.deployment.turn(run, state["turn"]))
        waits = self._repeated(run, lambda: self._wait(run, state))
        if waits["next"] == "call":
            self._answer(run)
        return waits

    def _wait(self, run: dict[str, Any], state: dict[str, Any]) -> dict[str, Any]:
        self.deployment.wait(run, "token")
        return {**state, "next": "call"}

    def _repeated(self, run: dict[str, Any], work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        for _ in range(2):
            with suppress(CrashError):
                return work()
        with suppress(CrashError):
            self.deployment.finish(run)
        return {"next": "done"}

    def _answer(self, run: dict[str, Any]) -> None:
        run = self.deployment.again(run)
        if run["status"] != "requires_action":
            return
        if self._cancels:
            self._request("POST", f"{path(run)}/cancel")
        else:
            self._request("POST", f"{path(run)}/submit_tool_outputs", outputs(run))

    def _request(self, method: str, url: str, body: Any = None) -> Any:
        """Send a request, and again after a 500, as an SDK does."""
        headers = {"idempotency-key": f"{method} {url}"} if url.endswith("/runs") else {}
        for _ in range(2):
            answer = self.deployment.api.request(method, url, body, headers=headers)
            if answer.status == 200:
                return answer.json
            assert answer.status == 500, answer.body
        raise AssertionError("two deaths at one write")


SCENARIOS: dict[str, tuple[list[Script], bool]] = {
    "plain": ([["Hello ", "big ", "world"]], False),
    "functions": ([["Let me see. ", CALL], ["It is ", "sunny."]], False),
    "cancelled": ([["Let me see. ", CALL], ["Never said."]], True),
}


def scenario(name: str) -> Scenario:
    script, cancels = SCENARIOS[name]
    return Scenario(*script, cancels=cancels)


def deaths() -> list[Any]:
    """Return all writes of all scenarios, each with a death before and one after it."""
    found: list[Any] = []
    for name in SCENARIOS:
        whole = scenario(name)
        whole.play()
        found += [
            pytest.param(name, number, when, id=f"{name}-{number}-{when}")
            for number in range(1, whole.table.writes + 1)
            for when in ("before", "after")
        ]
    return found


@pytest.mark.parametrize("name", SCENARIOS)
def test_without_a_death_each_scenario_ends_as_it_should(name: str) -> None:
    run = scenario(name).play()
    assert run["status"] == ("cancelled" if name == "cancelled" else "completed")


@pytest.mark.parametrize(("name", "number", "when"), deaths())
def test_a_death_at_any_write_loses_nothing(name: str, number: int, when: str) -> None:
    played = scenario(name)
    played.table.dies_at = number
    played.table.after = when == "after"
    run = played.play()
    deployment = played.deployment
    assert run["status"] in TERMINAL
    assert deployment.is_free(run["thread_id"])
    assert len(deployment.api.get(f"/threads/{run['thread_id']}/runs")["data"]) == 1
    check_events(deployment, run)


def streams(events: list[Event]) -> Iterator[list[Event]]:
    """Split the events by streams: a stream ends when the run asks for something."""
    stream: list[Event] = []
    for event in events:
        stream.append(event)
        if event.name == "thread.run.requires_action":
            yield stream
            stream = []
    yield stream


def check_events(deployment: Deployment, run: dict[str, Any]) -> None:
    """Check that the events are whole, in order, and agree with the stored objects, all closed."""
    events = deployment.events(run)
    for stream in streams(events):
        StreamReader().read(stream)
    assert events[-1].name == f"thread.run.{run['status']}"
    created = [event.data["id"] for event in events if event.name.endswith("message.created")]
    messages, steps = deployment.messages(run), deployment.steps(run)
    assert [message["id"] for message in messages] == created
    assert all(each["status"] != "in_progress" for each in (*messages, *steps))
    said = "".join(message["content"][0]["text"]["value"] for message in messages)
    whole = {"Hello big world", "Let me see. It is sunny.", "Let me see. "}
    assert any(text.startswith(said) for text in whole)
    if run["status"] == "completed":
        assert said in whole
