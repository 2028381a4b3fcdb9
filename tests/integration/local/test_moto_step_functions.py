"""moto's Step Functions with its fixes: each has a test here that fails without it."""

import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from moto.stepfunctions.parser.asl.antlr.runtime.ASLParser import ASLParser
from moto.stepfunctions.parser.asl.component.common.path import result_path
from moto.stepfunctions.parser.asl.utils import json_path

from infra.local.cloud import Cloud
from infra.local.moto_fixes.cached_clients import client_for
from tests.integration.local.machines import (
    machine_of,
    outcome,
    output,
    run,
    start,
    token,
    waits_for_token,
)


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with Cloud() as cloud:
        yield cloud


def test_a_path_is_parsed_once(cloud: Cloud) -> None:
    states = {"Only": {"Type": "Pass", "InputPath": "$.once", "ResultPath": "$.r", "End": True}}
    first = run(cloud, "paths", states, event={"once": 1})
    assert output(cloud, first) == {"once": 1, "r": 1}
    modules: list[Any] = [json_path, result_path]
    misses = [module.parse.cache_info().misses for module in modules]
    second = start(cloud, machine_of(first), "two", {"once": 2})
    assert output(cloud, second) == {"once": 2, "r": 2}
    assert [module.parse.cache_info().misses for module in modules] == misses


def test_a_definition_is_parsed_once(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    parses: list[Any] = []
    parse: Any = ASLParser.state_machine

    def count(self: Any) -> Any:
        parses.append(self)
        return parse(self)

    monkeypatch.setattr(ASLParser, "state_machine", count)
    first = run(cloud, "parsed-once", {"Only": {"Type": "Pass", "Result": {"a": 1}, "End": True}})
    second = start(cloud, machine_of(first), "two")
    assert output(cloud, first) == output(cloud, second) == {"a": 1}
    assert len(parses) == 1


def test_one_program_serves_executions_side_by_side(cloud: Cloud) -> None:
    states = {
        "Wait": {"Type": "Wait", "SecondsPath": "$.seconds", "Next": "Each"},
        "Each": {
            "Type": "Map",
            "ItemsPath": "$.items",
            "ItemProcessor": {"StartAt": "Same", "States": {"Same": {"Type": "Pass", "End": True}}},
            "End": True,
        },
    }
    machine = machine_of(run(cloud, "side-by-side", states))
    inputs = [{"seconds": n % 2, "items": [n, n + 1]} for n in range(10)]
    executions = [start(cloud, machine, f"n{n}", event) for n, event in enumerate(inputs)]
    assert [output(cloud, one) for one in executions] == [event["items"] for event in inputs]


def test_task_states_share_their_client(cloud: Cloud) -> None:
    run(cloud, "imports-all", {"Only": {"Type": "Pass", "End": True}})
    users = [m for m in tuple(sys.modules.values()) if hasattr(m, "boto_client_for")]
    assert len(users) > 3
    assert {vars(module)["boto_client_for"] for module in users} == {client_for}


def test_a_callback_is_received_while_other_executions_start(
    cloud: Cloud, queue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = machine_of(run(cloud, "starting", {"Only": {"Type": "Pass", "End": True}}))
    execution = run(cloud, "received", {"Wait": waits_for_token(cloud, queue)})
    waiting = token(cloud, queue)
    held = threading.Event()
    monkeypatch.setattr(threading.Thread, "start", _hold_executions(held))
    starting = start(cloud, machine, "held")
    cloud.client("stepfunctions").send_task_success(taskToken=waiting, output='{"received": 1}')
    held.set()
    assert output(cloud, execution) == {"received": 1}
    assert outcome(cloud, starting)["status"] == "SUCCEEDED"


def _hold_executions(held: threading.Event) -> Callable[[threading.Thread], None]:
    start = threading.Thread.start

    def start_later(self: threading.Thread) -> None:
        if "_execution_logic" in self.name:
            run = self.run

            def run_later() -> None:
                held.wait(20)
                run()

            self.run = run_later  # type: ignore[method-assign]
        start(self)

    return start_later


def test_a_jsonata_machine_evaluates_expressions_and_variables(cloud: Cloud) -> None:
    states = {
        "Assign": {
            "Type": "Pass",
            "Assign": {"text": "{% $uppercase('ä') %}", "sum": "{% $sum([1, 2]) %}"},
            "Next": "Use",
        },
        "Use": {
            "Type": "Pass",
            "Output": {"text": "{% $text %}", "sum": "{% $sum %}"},
            "End": True,
        },
    }
    execution = run(cloud, "jsonata", states, QueryLanguage="JSONata")
    assert output(cloud, execution) == {"text": "Ä", "sum": 3}


def test_variables_work_in_a_jsonpath_machine(cloud: Cloud) -> None:
    states = {
        "Assign": {"Type": "Pass", "Result": 7, "Assign": {"seven.$": "$"}, "Next": "Use"},
        "Use": {"Type": "Pass", "Parameters": {"value.$": "$seven"}, "End": True},
    }
    assert output(cloud, run(cloud, "variables", states)) == {"value": 7}


def test_task_parameters_reach_services_that_spell_them_in_lower_camel(cloud: Cloud) -> None:
    child = run(cloud, "child", {"Only": {"Type": "Pass", "End": True}})
    states = {
        "Child": {
            "Type": "Task",
            "Resource": "arn:aws:states:::states:startExecution.sync:2",
            "Parameters": {"StateMachineArn": machine_of(child), "Name": "kid", "Input": {"x": 1}},
            "OutputPath": "$.Output",
            "End": True,
        }
    }
    assert output(cloud, run(cloud, "parent", states)) == {"x": 1}


def test_a_binary_result_of_a_service_becomes_text(cloud: Cloud) -> None:
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="results")
    s3.put_object(Bucket="results", Key="text", Body=b"hello")
    states = {
        "Read": {
            "Type": "Task",
            "Resource": "arn:aws:states:::aws-sdk:s3:getObject",
            "Parameters": {"Bucket": "results", "Key": "text"},
            "ResultSelector": {"text.$": "$.Body"},
            "End": True,
        }
    }
    assert output(cloud, run(cloud, "reads", states)) == {"text": "hello"}
