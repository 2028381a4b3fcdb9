"""Submitting tool outputs, and everything else that may happen to a run that waits for them."""

from typing import Any

import pytest

from assistants.ports.chat_model import ToolCallDelta
from tests.support.deployment import WEATHER, Deployment, calls_of, outputs, path
from tests.support.stream_reader import CALLS_STEP, MESSAGE_STEP, RUN_BEGINS, order

TIME = {"type": "function", "function": {"name": "time"}}
CALLS = [
    ToolCallDelta(0, id="a", name="weather", arguments='{"city": "Paris"}'),
    ToolCallDelta(1, id="b", name="time", arguments="{}"),
]


def waiting(*, machine: bool = True) -> tuple[Deployment, dict[str, Any]]:
    """Create a run that waits for the outputs of two calls."""
    deployment = Deployment([*CALLS], ["Sunny at noon."], machine=machine)
    run = deployment.run(tools=[WEATHER, TIME])
    if not machine:
        deployment.turn(run)
        deployment.wait(run, "first-token")
        run = deployment.again(run)
    assert run["status"] == "requires_action"
    return deployment, run


def submit_url(run: dict[str, Any]) -> str:
    return f"{path(run)}/submit_tool_outputs"


def test_outputs_complete_the_step_and_the_model_reads_them() -> None:
    deployment, run = waiting()
    first, second = calls_of(run)
    answered = [
        {"tool_call_id": second["id"], "output": "noon"},
        {"tool_call_id": first["id"], "output": ""},
    ]
    submitted = deployment.api.post(submit_url(run), {"tool_outputs": answered})
    assert submitted["required_action"] is None
    run = deployment.again(run)
    assert run["status"] == "completed"
    step = deployment.steps(run)[0]
    assert step["status"] == "completed"
    shown = step["step_details"]["tool_calls"]
    assert [call["function"]["output"] for call in shown] == ["", "noon"]
    tools = deployment.model.requests[1].messages[-2:]
    assert [message["content"] for message in tools] == ["", "noon"]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("text", "text"),
        (17, "17"),
        (1.5, "1.5"),
        (True, "true"),
        (False, "false"),
        ("Ünïcödé 🙂", "Ünïcödé 🙂"),
        ("x" * 512_000, "x" * 512_000),
    ],
)
def test_numbers_and_booleans_are_kept_as_their_json_text(given: Any, kept: str) -> None:
    deployment, run = waiting()
    deployment.submit(run, given)
    [first, _] = deployment.steps(run)[0]["step_details"]["tool_calls"]
    assert first["function"]["output"] == kept


@pytest.mark.parametrize(("given", "got"), [(None, "null"), ({}, "an object"), ([], "an array")])
def test_other_outputs_are_refused_by_their_type(given: Any, got: str) -> None:
    deployment, run = waiting()
    answer = deployment.api.request("POST", submit_url(run), outputs(run, given))
    assert answer.status == 400
    assert answer.error["code"] == "invalid_type"
    assert answer.error["param"] == "tool_outputs[0].output"
    assert answer.error["message"].endswith(f"expected a string, but got {got} instead.")
    assert deployment.again(run) == run


def test_an_incomplete_set_of_outputs_is_refused_and_changes_nothing() -> None:
    deployment, run = waiting()
    first, second = (call["id"] for call in calls_of(run))
    body = outputs(run)
    del body["tool_outputs"][1]
    message = deployment.api.refused("POST", submit_url(run), body)
    assert message == (
        f"Expected tool outputs for call_ids ['{first}', '{second}'], got ['{first}']"
    )
    assert deployment.again(run) == run
    assert deployment.submit(run)["status"] == "queued"


@pytest.mark.parametrize("foreign", [True, False])
def test_outputs_of_unknown_calls_and_outputs_given_twice_are_refused(foreign: bool) -> None:
    deployment, run = waiting()
    body = outputs(run)
    extra = "call_x" if foreign else body["tool_outputs"][0]["tool_call_id"]
    body["tool_outputs"].append({"tool_call_id": extra, "output": "rain"})
    message = deployment.api.refused("POST", submit_url(run), body)
    assert message.startswith("Expected tool outputs for call_ids [")
    assert message.endswith(f"'{extra}']")
    assert deployment.again(run) == run


def test_no_outputs_at_all_are_refused() -> None:
    deployment, run = waiting()
    message = deployment.api.refused("POST", submit_url(run), {"tool_outputs": []})
    assert message.endswith("got []")


def test_the_same_outputs_again_change_nothing_and_are_fine() -> None:
    deployment, run = waiting(machine=False)
    first = deployment.submit(run)
    assert first["status"] == "queued"
    assert deployment.submit(run) == first
    assert deployment.executions.resumed == [("first-token", "submitted")] * 2
    events = order(deployment.events(run)) if deployment.turn(run, 1) else ""
    assert events.count("step.completed run.queued") == 1
    assert deployment.submit(run)["status"] == "completed"


def test_other_outputs_after_the_first_are_refused() -> None:
    deployment, run = waiting(machine=False)
    deployment.submit(run, "sunny")
    message = deployment.api.refused("POST", submit_url(run), outputs(run, "rainy"))
    assert message == 'Runs in status "queued" do not accept tool outputs.'
    deployment.turn(run, 1)
    message = deployment.api.refused("POST", submit_url(run), outputs(run, "rainy"))
    assert message == 'Runs in status "completed" do not accept tool outputs.'


def test_the_same_outputs_again_are_fine_however_far_the_run_is() -> None:
    """As an SDK sends them that has lost the answer to the first time."""
    deployment = Deployment([CALLS[0]], [CALLS[0]], ["Sunny."])
    run = deployment.run()
    first = deployment.api.stream(submit_url(run), outputs(run))
    later = deployment.again(run)
    assert later["status"] == "requires_action"
    assert deployment.submit(run) == later
    assert deployment.api.stream(submit_url(run), outputs(run)) == first
    deployment.submit(later)
    assert deployment.submit(run)["status"] == "completed"
    assert len(deployment.model.requests) == 3


def test_other_outputs_of_an_earlier_wait_are_refused_in_a_later_one() -> None:
    deployment = Deployment([CALLS[0]], [CALLS[0]], ["Sunny."])
    run = deployment.run()
    deployment.submit(run)
    later = deployment.again(run)
    message = deployment.api.refused("POST", submit_url(run), outputs(run, "rainy"))
    assert message == (
        f"Expected tool outputs for call_ids ['{calls_of(later)[0]['id']}'], "
        f"got ['{calls_of(run)[0]['id']}']"
    )


def test_a_run_that_does_not_wait_takes_no_outputs() -> None:
    deployment = Deployment(["Hello"], machine=False)
    run = deployment.run()
    body = {"tool_outputs": [{"tool_call_id": "call_a", "output": "x"}]}
    for status in ("queued", "completed"):
        message = deployment.api.refused("POST", submit_url(run), body)
        assert message == f'Runs in status "{status}" do not accept tool outputs.'
        deployment.turn(run)


def test_outputs_that_come_after_the_deadline_are_refused() -> None:
    deployment, run = waiting()
    deployment.clock.now = run["expires_at"]
    message = deployment.api.refused("POST", submit_url(run), outputs(run))
    assert message == 'Runs in status "expired" do not accept tool outputs.'
    deployment.finish(run)
    run = deployment.again(run)
    assert run["status"] == "expired"
    assert run["required_action"] is None
    [step] = deployment.steps(run)
    assert step["status"] == "expired"
    assert step["expired_at"] == run["expires_at"]
    assert deployment.is_free(run["thread_id"])


def test_a_run_that_waits_can_be_cancelled() -> None:
    deployment, run = waiting()
    cancelled = deployment.cancel(run)
    assert cancelled["status"] == "cancelling"
    assert cancelled["required_action"] is None
    run = deployment.again(run)
    assert run["status"] == "cancelled"
    [step] = deployment.steps(run)
    assert step["status"] == "cancelled"
    assert [call["function"]["output"] for call in step["step_details"]["tool_calls"]] == [None] * 2
    assert order(deployment.events(run)) == (
        f"{RUN_BEGINS} {CALLS_STEP} run.requires_action run.cancelling step.cancelled run.cancelled"
    )
    assert deployment.is_free(run["thread_id"])
    message = deployment.api.refused(
        "POST", submit_url(run), {"tool_outputs": [{"tool_call_id": "call_a", "output": "x"}]}
    )
    assert message == 'Runs in status "cancelled" do not accept tool outputs.'


def test_a_step_that_ends_without_outputs_still_counts_its_tokens() -> None:
    deployment, run = waiting()
    deployment.cancel(run)
    run = deployment.again(run)
    assert run["usage"] == deployment.steps(run)[0]["usage"]


def test_the_token_is_called_back_once_it_is_known() -> None:
    deployment, run = waiting(machine=False)
    assert deployment.executions.resumed == []
    deployment.submit(run)
    assert deployment.executions.resumed == [("first-token", "submitted")]


def test_a_repeated_wait_keeps_the_newest_token() -> None:
    deployment, run = waiting(machine=False)
    events = deployment.events(run)
    deployment.wait(run, "second-token")
    deployment.wait(run, "second-token")
    assert deployment.again(run) == run
    assert deployment.events(run) == events
    deployment.submit(run)
    assert deployment.executions.resumed == [("second-token", "submitted")]


def test_a_wait_that_is_repeated_after_the_outputs_is_called_back_at_once() -> None:
    deployment, run = waiting(machine=False)
    deployment.submit(run)
    deployment.wait(run, "second-token")
    assert deployment.executions.resumed[-1] == ("second-token", "submitted")
    assert deployment.again(run)["status"] == "queued"


def test_a_wait_that_begins_after_a_cancel_is_called_back_at_once() -> None:
    deployment = Deployment([*CALLS], machine=False)
    run = deployment.run(tools=[WEATHER, TIME])
    deployment.turn(run)
    deployment.cancel(run)
    deployment.wait(run, "late")
    assert deployment.executions.resumed == [("late", "cancelled")]
    assert deployment.turn(run, 1)["next"] == "done"
    run = deployment.again(run)
    assert run["status"] == "cancelled"
    assert "requires_action" not in order(deployment.events(run))


def test_a_client_is_not_asked_when_the_time_is_over() -> None:
    """The server's own tools of the same turn may have taken all of it."""
    deployment = Deployment([*CALLS], machine=False)
    run = deployment.run(tools=[WEATHER, TIME])
    deployment.turn(run)
    deployment.clock.now = run["expires_at"]
    deployment.wait(run, "late")
    assert deployment.executions.resumed == [("late", "cancelled")]
    assert deployment.turn(run, 1)["next"] == "done"
    run = deployment.again(run)
    assert run["status"] == "expired"
    assert "requires_action" not in order(deployment.events(run))


def test_a_wait_of_a_run_that_is_gone_is_called_back() -> None:
    deployment, run = waiting(machine=False)
    gone = {"thread_id": "thread_gone", "id": run["id"]}
    deployment.wait(gone, "orphan")
    assert deployment.executions.resumed == [("orphan", "cancelled")]


def test_the_clock_of_a_run_goes_on_while_it_waits() -> None:
    deployment, run = waiting(machine=False)
    deployment.clock.now += 250
    deployment.submit(run)
    assert deployment.turn(run, 1)["seconds_left"] == 350


def test_the_time_a_run_first_began_is_kept() -> None:
    deployment, run = waiting()
    deployment.clock.now += 60
    deployment.submit(run)
    run = deployment.again(run)
    assert run["started_at"] == run["created_at"]
    assert run["completed_at"] == run["created_at"] + 60


def test_outputs_appear_on_the_stream_that_submits_them() -> None:
    deployment, run = waiting()
    events = deployment.api.stream(submit_url(run), outputs(run))
    assert order(events) == (
        f"step.completed run.queued run.in_progress {MESSAGE_STEP} run.completed done"
    )
    again = deployment.api.stream(submit_url(run), outputs(run))
    assert again == events
