"""Races that the interleavings found, each reproduced by hand."""

from collections.abc import Callable
from typing import Any

import pytest

from assistants.domain.tool import HostedToolName
from assistants.ports.chat_model import ModelError, ToolCallDelta
from assistants.ports.hosted_tool import HostedTool
from tests.support.crashes import CrashError
from tests.support.deployment import WEATHER, Deployment, path
from tests.support.fake_tools import FakeTool
from tests.support.fakes import FakeClock

CALL = ToolCallDelta(0, id="a", name="weather", arguments="{}")


class BusyClock(FakeClock):
    """A clock on which `others` act while somebody sleeps."""

    others: Callable[[], Any]

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        self.others()


def superseded(*script: Any) -> tuple[Deployment, dict[str, Any], dict[str, Any]]:
    """Replace a worker in its turn by one that dies, and that one by one that follows the script.

    Return the deployment, the run, and what the first worker returns.
    """
    clock = BusyClock()
    deployment = Deployment([], [CrashError()], list(script), machine=False, clock=clock)
    run = deployment.run()

    def take_over() -> None:
        with pytest.raises(CrashError):
            deployment.turn(run)

    clock.others = lambda: deployment.turn(run)
    unreachable = ModelError("server_error", "The model cannot be reached.")
    deployment.model.turns[0] = [take_over, unreachable]
    return deployment, run, deployment.turn(run)


def test_a_client_that_has_seen_the_end_of_a_run_gets_done_at_once() -> None:
    deployment = Deployment(["Hello"])
    run = deployment.run()
    last = str(len(deployment.events(run)))
    answer = deployment.api.request("GET", f"{path(run)}/events", headers={"last-event-id": last})
    assert [event.name for event in answer.events] == ["done"]


def test_a_worker_that_was_replaced_returns_what_the_other_made_of_the_turn() -> None:
    _, _, returned = superseded(CALL)
    assert returned["next"] == "action"


def test_a_worker_that_was_replaced_cannot_fail_the_run() -> None:
    deployment, run, _ = superseded("Hello")
    assert deployment.again(run)["status"] == "completed"


def test_a_wait_that_comes_late_does_not_interrupt_the_tools_of_a_later_turn() -> None:
    """Its function was invoked twice, and the second one was under way for a long time."""
    code = ToolCallDelta(0, id="b", name="code_interpreter", arguments='{"code": "6 * 7"}')
    tools: dict[HostedToolName, HostedTool] = {"code_interpreter": FakeTool()}
    deployment = Deployment([CALL], [code], ["It is 42."], machine=False, tools=tools)
    run = deployment.run(tools=[WEATHER, {"type": "code_interpreter"}])
    deployment.turn(run)
    deployment.wait(run, "token")
    deployment.submit(deployment.again(run))
    [call] = deployment.turn(run, 1)["calls"]
    deployment.wait(run, "late token")
    assert deployment.again(run)["status"] == "in_progress"
    deployment.backend.turns.tool_calls.answer(deployment.ref(run), call["call"])
    deployment.turn(run, 2)
    assert deployment.again(run)["status"] == "completed"


def test_a_wait_that_times_out_is_over_when_its_run_is() -> None:
    deployment = Deployment([CALL], machine=False, clock=FakeClock(now=1_800_000_000.4))
    run = deployment.run()
    seconds_left = deployment.turn(run)["seconds_left"]
    deployment.wait(run)
    deployment.clock.now += seconds_left
    deployment.finish(run)
    assert deployment.again(run)["status"] == "expired"
