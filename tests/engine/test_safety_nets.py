"""Three things end a run whose function keeps dying; each suffices with the others switched off."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.engine.contract import ENDED
from tests.engine.fault_injector import Fault
from tests.engine.harness import SERVICE, Harness, Run
from tests.engine.scenarios import calls, speaks
from tests.support.waiting import wait_until

EVERY_ATTEMPT = [Fault("CallModel", "TransactWriteItems", number) for number in range(1, 5)]


@contextmanager
def without_catch(harness: Harness) -> Iterator[None]:
    """Let the machine fail where it would go to FinishRun."""
    machine = harness.stack.client("stepfunctions")
    arn = harness.stack.resource(SERVICE, "RunMachine")
    deployed = machine.describe_state_machine(stateMachineArn=arn)["definition"]
    definition = json.loads(deployed)
    for state in definition["States"].values():
        state.pop("Catch", None)
    machine.update_state_machine(stateMachineArn=arn, definition=json.dumps(definition))
    yield
    machine.update_state_machine(stateMachineArn=arn, definition=deployed)


@contextmanager
def without_rule(harness: Harness) -> Iterator[None]:
    """Switch off the EventBridge rule for executions that fail."""
    events = harness.stack.client("events")
    names = [rule["Name"] for rule in events.list_rules()["Rules"] if "EventPattern" in rule]
    for name in names:
        events.disable_rule(Name=name)
    yield
    for name in names:
        events.enable_rule(Name=name)


def broken(harness: Harness) -> Run:
    """Create a run whose worker dies at every attempt."""
    harness.begin(*EVERY_ATTEMPT)
    run: Run = harness.client.post(harness.runs, {"assistant_id": harness.assistant(speaks)})
    harness.run_id = run["id"]
    return run


def stopped(harness: Harness) -> Run:
    """Create a waiting run, and stop its execution."""
    harness.begin()
    run = harness.create(calls)
    arn = harness.stack.resource(SERVICE, "RunMachine").replace(":stateMachine:", ":execution:")
    harness.stack.client("stepfunctions").stop_execution(executionArn=f"{arn}:{run['id']}")
    return run


def execution_status(harness: Harness, run: Run) -> str:
    arn = harness.stack.resource(SERVICE, "RunMachine").replace(":stateMachine:", ":execution:")
    machine = harness.stack.client("stepfunctions")
    return str(machine.describe_execution(executionArn=f"{arn}:{run['id']}")["status"])


def test_the_machine_ends_a_run_whose_worker_dies_at_every_attempt(harness: Harness) -> None:
    with without_rule(harness):
        run = broken(harness)
        harness.until(*ENDED, sweeps=False)
        wait_until(lambda: execution_status(harness, run) != "RUNNING")
    assert harness.check() == "failed"
    assert execution_status(harness, run) == "SUCCEEDED"
    harness.check_free()


@pytest.mark.parametrize(("way", "status"), [(broken, "failed"), (stopped, "expired")])
def test_the_rule_ends_a_run_whose_execution_broke(
    way: Callable[[Harness], Run], status: str, harness: Harness
) -> None:
    with without_catch(harness):
        run = way(harness)
        harness.until(*ENDED, sweeps=False)
    assert execution_status(harness, run) in ("FAILED", "ABORTED")
    assert harness.check() == status
    harness.check_free()


@pytest.mark.parametrize("way", [broken, stopped])
def test_the_sweep_ends_a_run_whose_execution_broke_unnoticed(
    way: Callable[[Harness], Run], harness: Harness
) -> None:
    with without_catch(harness), without_rule(harness):
        run = way(harness)
        wait_until(lambda: execution_status(harness, run) != "RUNNING")
    harness.pass_minute()
    assert harness.now(run)["status"] not in ENDED
    harness.let_time_run_out()
    harness.pass_minute(60)
    assert harness.check() == "expired"
    harness.check_free()


def test_a_new_run_ends_one_that_is_overdue(harness: Harness) -> None:
    """Before any sweep has found it."""
    with without_catch(harness), without_rule(harness):
        run = stopped(harness)
        wait_until(lambda: execution_status(harness, run) != "RUNNING")
    harness.let_time_run_out()
    again = harness.client.post(harness.runs, {"assistant_id": harness.assistant(speaks)})
    assert harness.now(run)["status"] == "expired"
    wait_until(lambda: harness.now(again)["status"] == "completed")
