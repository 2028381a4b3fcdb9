"""Cancelling a run in each of its statuses."""

import pytest

from assistants.ports.chat_model import FinishDelta, ModelError, ToolCallDelta
from tests.support.deployment import Deployment, path
from tests.support.fakes import Script
from tests.support.stream_reader import order

CALL = ToolCallDelta(0, id="a", name="weather", arguments="{}")


def test_a_queued_run_is_cancelled_by_the_worker_that_finds_it() -> None:
    deployment = Deployment(["Never said"], machine=False)
    run = deployment.run()
    asked = deployment.cancel(run)
    assert asked["status"] == "cancelling"
    assert asked["cancelled_at"] is None
    assert not deployment.is_free(run["thread_id"])
    deployment.turn(run)
    run = deployment.again(run)
    assert (run["status"], run["started_at"], run["usage"]["total_tokens"]) == (
        "cancelled",
        None,
        0,
    )
    assert order(deployment.events(run)) == "run.created run.queued run.cancelling run.cancelled"
    assert deployment.is_free(run["thread_id"])


def test_cancelling_twice_is_asking_once() -> None:
    deployment = Deployment(["Never said"], machine=False)
    run = deployment.run()
    assert deployment.cancel(run) == deployment.cancel(run)
    deployment.turn(run)
    assert order(deployment.events(run)).count("run.cancelling") == 1


def test_a_cancel_whose_worker_has_died_is_finished_by_the_machine() -> None:
    deployment = Deployment([], machine=False)
    run = deployment.run()
    deployment.cancel(run)
    deployment.finish(run)
    assert deployment.again(run)["status"] == "cancelled"


def test_a_cancel_is_done_even_when_the_deadline_has_passed() -> None:
    deployment = Deployment([], machine=False)
    run = deployment.run()
    deployment.cancel(run)
    deployment.clock.now += 1000
    deployment.finish(run)
    assert deployment.again(run)["status"] == "cancelled"


@pytest.mark.parametrize(
    ("script", "status"),
    [
        (["Hello"], "completed"),
        ([ModelError("server_error", "No.")], "failed"),
        (["Hello", FinishDelta("length")], "incomplete"),
    ],
)
def test_a_run_that_has_ended_cannot_be_cancelled(script: Script, status: str) -> None:
    deployment = Deployment(script)
    run = deployment.run()
    assert run["status"] == status
    message = deployment.api.refused("POST", f"{path(run)}/cancel")
    assert message == f"Cannot cancel run with status '{status}'."
    assert deployment.again(run) == run


def test_a_cancelled_run_and_an_expired_one_cannot_be_cancelled() -> None:
    deployment = Deployment([CALL], [CALL])
    cancelled, expired = deployment.run(), deployment.run()
    deployment.cancel(cancelled)
    deployment.clock.now += 600
    deployment.finish(expired)
    for run, status in ((cancelled, "cancelled"), (expired, "expired")):
        message = deployment.api.refused("POST", f"{path(run)}/cancel")
        assert message == f"Cannot cancel run with status '{status}'."


def test_a_body_is_not_needed_and_members_of_one_are_refused() -> None:
    deployment = Deployment([], machine=False)
    run = deployment.run()
    answer = deployment.api.request("POST", f"{path(run)}/cancel", {"reason": "bored"})
    assert answer.error["message"] == "Unknown parameter: 'reason'."
    empty = deployment.api.request(
        "POST", f"{path(run)}/cancel", headers={"content-type": "application/json"}
    )
    assert empty.json["status"] == "cancelling"
