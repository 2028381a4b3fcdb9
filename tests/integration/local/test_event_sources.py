"""Queues, schedules and broken executions reach their functions as on AWS."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.local import LocalStack
from tests.integration.local import toy_template
from tests.integration.local.toy_queue import depth, send
from tests.support.waiting import wait_until


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    assembly = toy_template.assembly(tmp_path_factory.mktemp("assembly"))
    with LocalStack(assembly=assembly) as stack:
        yield stack


def test_a_message_reaches_the_function_and_is_deleted(stack: LocalStack) -> None:
    send(stack, "good")
    wait_until(lambda: "got good for the 1." in stack.functions["Consumer"].logs)
    wait_until(lambda: depth(stack, "Queue") == 0)


def test_a_message_that_fails_comes_again_and_then_to_the_dead(stack: LocalStack) -> None:
    before = depth(stack, "Dead")
    send(stack, "fine", "bad")
    wait_until(lambda: "got bad for the 2." in stack.functions["Consumer"].logs)
    wait_until(lambda: depth(stack, "Dead") == before + 1)
    wait_until(lambda: depth(stack, "Queue") == 0)
    assert "got fine for the 2." not in stack.functions["Consumer"].logs


def test_a_batch_whose_function_fails_comes_again_as_a_whole(stack: LocalStack) -> None:
    send(stack, "worst")
    wait_until(lambda: "got worst for the 2." in stack.functions["Consumer"].logs)


def test_a_schedule_invokes_its_function(stack: LocalStack) -> None:
    (name,) = stack.schedules.rules
    stack.schedules.fire(name)
    wait_until(lambda: '"detail-type": "Scheduled Event"' in stack.functions["Consumer"].logs)


def test_a_schedule_repeats(stack: LocalStack, monkeypatch: pytest.MonkeyPatch) -> None:
    fired: list[str] = []
    waiting: list[tuple[float, Callable[[], object]]] = []
    timers = stack.functions.timers
    monkeypatch.setattr(timers, "call_later", lambda *later: waiting.append(later))
    monkeypatch.setattr(stack.schedules, "fire", fired.append)
    (rule,) = stack.schedules.rules.values()
    stack.schedules._repeat(rule, 60)
    for _ in range(3):
        seconds, function = waiting.pop()
        assert seconds == 60
        function()
    assert fired == [rule.name] * 3


def events(stack: LocalStack) -> list[dict[str, Any]]:
    lines = stack.functions["Consumer"].logs.splitlines()
    return [json.loads(line) for line in lines if '"aws.states"' in line]


def test_a_failed_execution_is_delivered_to_the_rules_function(stack: LocalStack) -> None:
    machine = stack.resource("Service", "StateMachine")
    execution = stack.client("stepfunctions").start_execution(
        stateMachineArn=machine, name="fails", input='{"id": "x", "fail": true}'
    )["executionArn"]
    (event,) = wait_until(
        lambda: [one for one in events(stack) if one["detail"]["executionArn"] == execution]
    )
    assert event["detail-type"] == "Step Functions Execution Status Change"
    assert event["resources"] == [execution]
    assert event["detail"]["status"] == "FAILED"
    assert event["detail"]["error"] == "ValueError"
    assert json.loads(event["detail"]["input"]) == {"id": "x", "fail": True}


def test_a_stopped_execution_is_delivered_once_and_a_success_is_not(stack: LocalStack) -> None:
    client = stack.client("stepfunctions")
    machine = stack.resource("Service", "StateMachine")
    executions = {
        name: client.start_execution(
            stateMachineArn=machine, name=name, input=json.dumps({"id": name, "fail": False})
        )["executionArn"]
        for name in ("stopped", "succeeds")
    }
    token = wait_until(lambda: _token(stack, "succeeds"))
    client.send_task_success(taskToken=token, output="{}")
    wait_until(lambda: _token(stack, "stopped"))
    client.stop_execution(executionArn=executions["stopped"])
    delivered = wait_until(
        lambda: [one for one in events(stack) if one["detail"]["name"] in executions]
    )
    assert [(one["detail"]["name"], one["detail"]["status"]) for one in delivered] == [
        ("stopped", "ABORTED")
    ]


def _token(stack: LocalStack, key: str) -> str | None:
    answer = stack.client("dynamodb").get_item(
        TableName=stack.resource("Data", "Table"), Key={"pk": {"S": key}, "sk": {"S": "token"}}
    )
    return answer["Item"]["token"]["S"] if "Item" in answer else None


def test_a_functions_calls_are_recorded_under_its_logical_id(stack: LocalStack) -> None:
    stack.calls.clear()
    machine = stack.resource("Service", "StateMachine")
    stack.client("stepfunctions").start_execution(
        stateMachineArn=machine, name="recorded", input='{"id": "recorded", "fail": false}'
    )
    wait_until(lambda: ("Machine", "dynamodb", "PutItem") in stack.calls.counts())
    wait_until(lambda: ("Machine", "s3", "PutObject") in stack.calls.counts())


def test_a_template_without_event_sources_needs_none(tmp_path: Path) -> None:
    nothing = {"Type": "AWS::SQS::Queue"}
    assembly = toy_template.assembly(tmp_path, Mapping=nothing, EachMinute=nothing, Broken=nothing)
    with LocalStack(assembly=assembly) as stack:
        assert stack.schedules.rules == {}
