"""Each of the three nets below the run machine holds alone, with the others switched off."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.engine.contract import ENDED
from tests.engine.fault_injector import Point
from tests.engine.scenario import PATIENCE_SECONDS, SERVICE, Run, Stage
from tests.engine.scenarios import calls, speaks

EVERY_ATTEMPT = [Point("CallModel", "TransactWriteItems", number) for number in range(1, 5)]


@contextmanager
def without_catch(stage: Stage) -> Iterator[None]:
    """The machine fails where it would go to FinishRun."""
    machine = stage.stack.client("stepfunctions")
    arn = stage.stack.resource(SERVICE, "RunMachine")
    deployed = machine.describe_state_machine(stateMachineArn=arn)["definition"]
    definition = json.loads(deployed)
    for state in definition["States"].values():
        state.pop("Catch", None)
    machine.update_state_machine(stateMachineArn=arn, definition=json.dumps(definition))
    yield
    machine.update_state_machine(stateMachineArn=arn, definition=deployed)


@contextmanager
def without_rule(stage: Stage) -> Iterator[None]:
    """EventBridge hears nothing of executions that break."""
    events = stage.stack.client("events")
    names = [rule["Name"] for rule in events.list_rules()["Rules"] if "EventPattern" in rule]
    for name in names:
        events.disable_rule(Name=name)
    yield
    for name in names:
        events.enable_rule(Name=name)


def broken(stage: Stage) -> Run:
    """A run whose worker dies at every attempt."""
    stage.begin(*EVERY_ATTEMPT)
    run: Run = stage.client.post(stage.runs, {"assistant_id": stage.assistant(speaks)})
    stage.run_id = run["id"]
    return run


def stopped(stage: Stage) -> Run:
    """A waiting run whose execution somebody stops."""
    stage.begin()
    run = stage.create(calls)
    arn = stage.stack.resource(SERVICE, "RunMachine").replace(":stateMachine:", ":execution:")
    stage.stack.client("stepfunctions").stop_execution(executionArn=f"{arn}:{run['id']}")
    return run


def execution_status(stage: Stage, run: Run) -> str:
    arn = stage.stack.resource(SERVICE, "RunMachine").replace(":stateMachine:", ":execution:")
    machine = stage.stack.client("stepfunctions")
    return str(machine.describe_execution(executionArn=f"{arn}:{run['id']}")["status"])


def wait_for(condition: Callable[[], Any]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_the_machine_ends_a_run_whose_worker_dies_at_every_attempt(stage: Stage) -> None:
    with without_rule(stage):
        run = broken(stage)
        stage.until(*ENDED, sweeps=False)
        wait_for(lambda: execution_status(stage, run) != "RUNNING")
    assert stage.check() == "failed"
    assert execution_status(stage, run) == "SUCCEEDED"
    stage.speak()


@pytest.mark.parametrize(("way", "status"), [(broken, "failed"), (stopped, "expired")])
def test_the_rule_ends_a_run_whose_execution_broke(
    way: Callable[[Stage], Run], status: str, stage: Stage
) -> None:
    with without_catch(stage):
        run = way(stage)
        stage.until(*ENDED, sweeps=False)
    assert execution_status(stage, run) in ("FAILED", "ABORTED")
    assert stage.check() == status
    stage.speak()


@pytest.mark.parametrize("way", [broken, stopped])
def test_the_sweep_ends_a_run_whose_execution_broke_unheard(
    way: Callable[[Stage], Run], stage: Stage
) -> None:
    with without_catch(stage), without_rule(stage):
        run = way(stage)
        wait_for(lambda: execution_status(stage, run) != "RUNNING")
    stage.pass_minute()
    assert stage.now(run)["status"] not in ENDED
    stage.let_time_run_out()
    stage.pass_minute(60)
    assert stage.check() == "expired"
    stage.speak()


def test_a_new_run_ends_one_that_is_overdue(stage: Stage) -> None:
    """Before any sweep has found it."""
    with without_catch(stage), without_rule(stage):
        run = stopped(stage)
        wait_for(lambda: execution_status(stage, run) != "RUNNING")
    stage.let_time_run_out()
    again = stage.client.post(stage.runs, {"assistant_id": stage.assistant(speaks)})
    assert stage.now(run)["status"] == "expired"
    wait_for(lambda: stage.now(again)["status"] == "completed")
