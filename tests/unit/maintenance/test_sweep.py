"""The safety nets of the state machine: they end, start or resume an abandoned run."""

from typing import Any

import pytest

from assistants.domain.ids import RunRef
from assistants.ports.chat_model import ToolCallDelta
from assistants.ports.executions import ExecutionsUnavailableError
from tests.support.crashes import CrashError
from tests.support.deployment import Deployment
from tests.support.fakes import FakeClock
from tests.support.stream_reader import CALLS_STEP, RUN_BEGINS, order

CALL = ToolCallDelta(0, id="a", name="weather", arguments="{}")


def abandoned() -> tuple[Deployment, dict[str, Any]]:
    """Create a run whose worker dies after a part of its answer was written."""
    deployment = Deployment(
        ["Hello ", "world ", "and ", CrashError()], machine=False, clock=FakeClock(step=0.2)
    )
    run = deployment.run(stream=None)
    deployment.model.turns[0][2:2] = ["word "] * 20
    with pytest.raises(CrashError):
        deployment.turn(run)
    deployment.clock.step = 0
    return deployment, run


def test_a_machine_that_gives_up_fails_its_run() -> None:
    deployment, run = abandoned()
    deployment.finish(run)
    ended = deployment.again(run)
    assert ended["status"] == "failed"
    assert ended["last_error"] == {
        "code": "server_error",
        "message": "Sorry, something went wrong.",
    }
    assert ended["failed_at"] is not None
    [message], [step] = deployment.messages(run), deployment.steps(run)
    assert (message["status"], step["status"]) == ("incomplete", "failed")
    assert deployment.is_free(run["thread_id"])


def test_a_machine_that_gives_up_after_the_deadline_expires_its_run() -> None:
    deployment, run = abandoned()
    deployment.clock.now += 600
    deployment.finish(run)
    ended = deployment.again(run)
    assert ended["status"] == "expired"
    assert ended["last_error"] is None
    assert ended["expires_at"] == run["expires_at"]


def test_ending_a_run_twice_changes_nothing() -> None:
    deployment, run = abandoned()
    deployment.finish(run)
    ended, events = deployment.again(run), deployment.events(run)
    deployment.clock.now += 1000
    deployment.finish(run)
    assert deployment.again(run) == ended
    assert deployment.events(run) == events


def test_ending_a_run_that_is_gone_is_nothing() -> None:
    deployment, run = abandoned()
    deployment.finish({"thread_id": "thread_gone", "id": run["id"]})
    assert deployment.again(run)["status"] == "in_progress"


def test_a_worker_that_goes_on_after_its_run_was_ended_cannot_write() -> None:
    deployment = Deployment([], machine=False)
    run = deployment.run()
    deployment.model.turns[0] = ["Hello", lambda: deployment.finish(run)]
    deployment.turn(run)
    assert deployment.again(run)["status"] == "failed"
    assert deployment.messages(run) == []
    assert order(deployment.events(run)) == f"{RUN_BEGINS} run.failed"


def test_the_sweep_expires_a_run_half_a_minute_after_its_deadline() -> None:
    deployment = Deployment([CALL])
    run = deployment.run()
    deployment.clock.now = run["expires_at"] + 29
    deployment.backend.maintenance.sweeper.sweep()
    assert deployment.again(run)["status"] == "requires_action"
    deployment.clock.now += 1
    assert deployment.backend.maintenance.sweeper.sweep() == 1
    ended = deployment.again(run)
    assert ended["status"] == "expired"
    assert order(deployment.events(run)) == (
        f"{RUN_BEGINS} {CALLS_STEP} run.requires_action step.expired run.expired"
    )
    assert deployment.is_free(run["thread_id"])
    assert deployment.backend.maintenance.sweeper.sweep() == 0


def test_the_sweep_starts_a_run_whose_execution_never_began() -> None:
    deployment = Deployment(["Hello"], machine=False)
    run = deployment.run()
    deployment.executions.started.clear()
    deployment.clock.now += 61
    deployment.backend.maintenance.sweeper.sweep()
    assert deployment.executions.started == [deployment.ref(run)]


def test_the_sweep_calls_back_a_wait_that_was_answered_but_not_resumed() -> None:
    deployment = Deployment([CALL], machine=False)
    run = deployment.run()
    deployment.turn(run)
    deployment.wait(run, "token")
    deployment.submit(deployment.again(run))
    deployment.executions.resumed.clear()
    deployment.clock.now += 61
    deployment.backend.maintenance.sweeper.sweep()
    assert deployment.executions.resumed == [("token", "submitted")]


def test_the_sweep_ends_a_cancel_that_nobody_finished() -> None:
    deployment = Deployment([CALL], machine=False)
    run = deployment.run()
    deployment.turn(run)
    deployment.wait(run, "token")
    deployment.cancel(run)
    deployment.clock.now += 61
    deployment.backend.maintenance.sweeper.sweep()
    assert deployment.again(run)["status"] == "cancelled"
    assert deployment.is_free(run["thread_id"])


def test_the_sweep_leaves_runs_alone_that_are_at_work() -> None:
    deployment, run = abandoned()
    deployment.clock.now += 300
    deployment.backend.maintenance.sweeper.sweep()
    assert deployment.again(run)["status"] == "in_progress"
    assert deployment.executions.started == [deployment.ref(run)]


def test_one_thing_that_cannot_be_set_right_does_not_keep_the_others_waiting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    deployment = Deployment([], [], machine=False)
    broken, run = deployment.run(), deployment.run()
    load = type(deployment.backend.runs.repository).load

    def load_but_one(repository: Any, ref: RunRef) -> Any:
        if ref.run_id == broken["id"]:
            raise CrashError
        return load(repository, ref)

    with monkeypatch.context() as patch:
        patch.setattr(type(deployment.backend.runs.repository), "load", load_but_one)
        deployment.clock.now += 700
        assert deployment.backend.maintenance.sweeper.sweep() == 2
    assert deployment.again(run)["status"] == "expired"
    assert deployment.again(broken)["status"] == "queued"


def test_a_run_whose_execution_cannot_start_now_exists_and_is_started_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    deployment = Deployment(["Hello"], machine=False)

    def refuse(*_: str) -> None:
        raise ExecutionsUnavailableError

    with monkeypatch.context() as patch:
        patch.setattr(deployment.executions, "start", refuse)
        run = deployment.run()
    assert run["status"] == "queued"
    deployment.clock.now += 61
    deployment.backend.maintenance.sweeper.sweep()
    assert deployment.executions.started == [deployment.ref(run)]


def test_a_new_run_ends_an_overdue_one_that_holds_the_thread() -> None:
    deployment = Deployment([], [], machine=False)
    overdue = deployment.run()
    deployment.clock.now += 601
    run = deployment.run(overdue["thread_id"])
    assert run["status"] == "queued"
    assert deployment.again(overdue)["status"] == "expired"
    assert deployment.executions.started == [deployment.ref(overdue), deployment.ref(run)]
