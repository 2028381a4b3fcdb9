"""Executions on moto can be stopped, which they cannot without the fix."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.stepfunctions.parser.models import stepfunctions_parser_backends

from infra.local.cloud import Cloud
from tests.integration.local.machines import outcome, output, run, token, waits_for_token
from tests.integration.local.toy_functions import spec


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with Cloud() as cloud:
        yield cloud


@pytest.mark.parametrize("catches", [False, True])
def test_an_execution_that_waits_for_a_token_can_be_stopped(
    cloud: Cloud, queue: str, catches: bool
) -> None:
    states = {"Wait": waits_for_token(cloud, queue), "Caught": {"Type": "Pass", "End": True}}
    if catches:
        states["Wait"]["Catch"] = [{"ErrorEquals": ["States.ALL"], "Next": "Caught"}]
    execution = run(cloud, f"stopped-{catches}", states)
    token(cloud, queue)
    cloud.client("stepfunctions").stop_execution(executionArn=execution)
    described = cloud.client("stepfunctions").describe_execution(executionArn=execution)
    assert described["status"] == "ABORTED"
    _wait_until_nothing_runs(execution)
    assert outcome(cloud, execution)["status"] == "ABORTED"


def test_an_execution_whose_function_runs_is_stopped_at_once(cloud: Cloud, tmp_path: Path) -> None:
    cloud.functions.add(spec("toy"))
    states = {
        "Sleep": {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke",
            "Parameters": {"FunctionName": "test-toy", "Payload": {"do": "sleep", "seconds": 60}},
            "End": True,
        }
    }
    execution = run(cloud, "stopped-in-function", states)
    cloud.client("stepfunctions").stop_execution(executionArn=execution)
    described = cloud.client("stepfunctions").describe_execution(executionArn=execution)
    assert described["status"] == "ABORTED"


def test_an_execution_that_has_ended_keeps_its_status_when_stopped(cloud: Cloud) -> None:
    execution = run(cloud, "ended", {"Only": {"Type": "Pass", "End": True}})
    output(cloud, execution)
    cloud.client("stepfunctions").stop_execution(executionArn=execution)
    assert outcome(cloud, execution)["status"] == "SUCCEEDED"


def _wait_until_nothing_runs(execution: str) -> None:
    account, name = execution.split(":")[4], execution.split(":")[6]
    backend = stepfunctions_parser_backends[account]["us-east-1"]
    (machine,) = (one for one in backend.state_machines if one.name == name)
    execution_object: Any = machine.executions[0]
    environment = execution_object.exec_worker.env
    while environment.event_manager.get_event_history()[-1]["type"] != "ExecutionAborted":
        time.sleep(0.01)


def test_a_token_of_an_ended_execution_is_invalid(cloud: Cloud, queue: str) -> None:
    execution = run(cloud, "over", {"Wait": waits_for_token(cloud, queue)})
    used = token(cloud, queue)
    client = cloud.client("stepfunctions")
    client.send_task_success(taskToken=used, output="1")
    assert output(cloud, execution) == 1
    with pytest.raises(ClientError, match=r"InvalidToken|TaskTimedOut|TaskDoesNotExist"):
        client.send_task_success(taskToken=used, output="2")
