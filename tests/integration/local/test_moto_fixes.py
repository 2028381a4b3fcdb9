"""Each fix of moto has a test here that fails without it."""

import inspect
import io
import json
import os
import sys
import threading
import time
import uuid
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st
from moto.core.serialize import ResponseSerializer
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.table import Table
from moto.stepfunctions.parser.asl.antlr.runtime.ASLParser import ASLParser
from moto.stepfunctions.parser.asl.component.common.path import result_path
from moto.stepfunctions.parser.asl.utils import json_path
from moto.stepfunctions.parser.models import stepfunctions_parser_backends

from infra.local.cloud import Cloud
from infra.local.moto_fixes.cached_clients import client_for
from tests.integration.local.conftest import spec
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


@pytest.fixture
def table(cloud: Cloud, request: pytest.FixtureRequest) -> str:
    """A table with the key `pk`, `sk`."""
    name = str(request.node.name)
    create_table(cloud, name)
    return name


def create_table(cloud: Cloud, name: str) -> None:
    cloud.client("dynamodb").create_table(
        TableName=name,
        KeySchema=[
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"},
        ],
        BillingMode="PAY_PER_REQUEST",
    )


@pytest.fixture
def queue(cloud: Cloud, request: pytest.FixtureRequest) -> str:
    name = f"{request.node.name:.70}".translate({ord("["): "-", ord("]"): None})
    return str(cloud.client("sqs").create_queue(QueueName=name)["QueueUrl"])


def put(table: str, pk: str, sk: str, **options: Any) -> dict[str, Any]:
    return {"TableName": table, "Item": {"pk": {"S": pk}, "sk": {"S": sk}}, **options}


def sort_keys(cloud: Cloud, table: str, pk: str) -> list[str]:
    pages = (
        cloud.client("dynamodb")
        .get_paginator("query")
        .paginate(
            TableName=table,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": pk}},
        )
    )
    return [item["sk"]["S"] for page in pages for item in page["Items"]]


def test_a_failing_transaction_loses_no_write_beside_it_and_is_never_seen(
    cloud: Cloud, table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_item: Any = DynamoDBBackend.put_item

    def put_slowly(*arguments: Any, **named: Any) -> Any:
        item = put_item(*arguments, **named)
        time.sleep(0.002)
        return item

    monkeypatch.setattr(DynamoDBBackend, "put_item", put_slowly)
    client = cloud.client("dynamodb")
    client.put_item(**put(table, "lock", "held"))
    losing = [
        {"Put": put(table, "run", "never")},
        {"Put": put(table, "lock", "held", ConditionExpression="attribute_not_exists(pk)")},
    ]

    def lose(_: int) -> None:
        with pytest.raises(client.exceptions.TransactionCanceledException):
            client.transact_write_items(TransactItems=losing)

    with ThreadPoolExecutor(4) as threads:
        loses = threads.map(lose, range(60))
        puts = [threads.submit(client.put_item, **put(table, "a", f"{n:03}")) for n in range(200)]
        while not all(one.done() for one in puts):
            assert sort_keys(cloud, table, "run") == []
        assert len(list(loses)) == 60
        assert all(done.result() for done in puts)
    assert sort_keys(cloud, table, "a") == [f"{n:03}" for n in range(200)]


def test_a_failing_transaction_restores_puts_updates_and_deletes(cloud: Cloud, table: str) -> None:
    client = cloud.client("dynamodb")
    for sk in ("changed", "deleted", "replaced"):
        client.put_item(TableName=table, Item={"pk": {"S": "a"}, "sk": {"S": sk}, "n": {"N": "1"}})

    def key(sk: str) -> dict[str, Any]:
        return {"TableName": table, "Key": {"pk": {"S": "a"}, "sk": {"S": sk}}}

    with pytest.raises(client.exceptions.TransactionCanceledException) as caught:
        client.transact_write_items(
            TransactItems=[
                {"Put": put(table, "a", "new")},
                {"Put": put(table, "a", "replaced")},
                {"Delete": key("deleted")},
                {
                    "Update": {
                        **key("changed"),
                        "UpdateExpression": "SET n = :n",
                        "ExpressionAttributeValues": {":n": {"N": "2"}},
                    }
                },
                {
                    "ConditionCheck": {
                        **key("absent"),
                        "ConditionExpression": "attribute_exists(pk)",
                    }
                },
            ]
        )
    reasons = [reason["Code"] for reason in caught.value.response["CancellationReasons"]]
    assert reasons == ["None", "None", "None", "None", "ConditionalCheckFailed"]
    items = client.query(
        TableName=table,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": "a"}},
    )["Items"]
    assert [(item["sk"]["S"], item["n"]["N"]) for item in items] == [
        ("changed", "1"),
        ("deleted", "1"),
        ("replaced", "1"),
    ]


def test_a_transaction_copies_no_table(
    cloud: Cloud, table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("the table was copied")

    monkeypatch.setattr(Table, "__deepcopy__", refuse, raising=False)
    cloud.client("dynamodb").transact_write_items(TransactItems=[{"Put": put(table, "a", "b")}])
    assert sort_keys(cloud, table, "a") == ["b"]


def test_a_query_looks_at_its_own_partition_only(
    cloud: Cloud, table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = cloud.client("dynamodb")
    for pk in "abc":
        client.put_item(**put(table, pk, "1"))
    seen: list[int] = []
    all_items = Table.all_items

    def count(self: Table) -> Any:
        items = all_items(self)
        seen.append(len(items))
        return items

    monkeypatch.setattr(Table, "all_items", count)
    assert sort_keys(cloud, table, "b") == ["1"]
    assert sort_keys(cloud, table, "nobody") == []
    assert seen == [1, 0]


@given(
    keys=st.sets(st.text("abc", min_size=1, max_size=4), max_size=12),
    condition=st.sampled_from(
        [
            ("", lambda key: True),
            ("sk = :b", lambda key: key == "b"),
            ("sk < :b", lambda key: key < "b"),
            ("sk <= :b", lambda key: key <= "b"),
            ("sk > :b", lambda key: key > "b"),
            ("sk >= :b", lambda key: key >= "b"),
            ("begins_with(sk, :b)", lambda key: key.startswith("b")),
            ("sk BETWEEN :b AND :c", lambda key: "b" <= key <= "c"),
        ]
    ),
    forward=st.booleans(),
    limit=st.integers(1, 5),
)
@settings(deadline=None, max_examples=60)
def test_pages_of_a_query_are_its_range_in_order(
    cloud: Cloud,
    keys: set[str],
    condition: tuple[str, Callable[[str], bool]],
    forward: bool,
    limit: int,
) -> None:
    table = f"pages-{uuid.uuid4()}"
    create_table(cloud, table)
    client = cloud.client("dynamodb")
    for key in keys:
        client.put_item(**put(table, "a", key))
    text, matches = condition
    values = {":b": {"S": "b"}, ":c": {"S": "c"}}
    pages = client.get_paginator("query").paginate(
        TableName=table,
        KeyConditionExpression=f"pk = :pk AND {text}" if text else "pk = :pk",
        ExpressionAttributeValues={
            ":pk": {"S": "a"},
            **{name: value for name, value in values.items() if name in text},
        },
        ScanIndexForward=forward,
        Limit=limit,
    )
    found = [[item["sk"]["S"] for item in page["Items"]] for page in pages]
    expected = sorted(filter(matches, keys), reverse=not forward)
    assert [key for page in found for key in page] == expected
    assert all(len(page) == limit for page in found[:-1])


def test_a_query_of_an_index_finds_items_of_all_partitions(cloud: Cloud) -> None:
    client = cloud.client("dynamodb")
    client.create_table(
        TableName="indexed",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "due", "AttributeType": "S"},
            {"AttributeName": "at", "AttributeType": "N"},
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "due",
                "KeySchema": [
                    {"AttributeName": "due", "KeyType": "HASH"},
                    {"AttributeName": "at", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    for pk, at in (("a", "10"), ("b", "9"), ("c", "11")):
        item = {"pk": {"S": pk}, "due": {"S": "runs"}, "at": {"N": at}, "x": {"S": "not a key"}}
        client.put_item(TableName="indexed", Item=item)
    answer = client.query(
        TableName="indexed",
        IndexName="due",
        KeyConditionExpression="due = :due AND #at < :at",
        ExpressionAttributeNames={"#at": "at"},
        ExpressionAttributeValues={":due": {"S": "runs"}, ":at": {"N": "11"}},
    )
    assert [item["pk"]["S"] for item in answer["Items"]] == ["b", "a"]
    assert "x" not in answer["Items"][0]


def test_an_item_of_every_type_comes_back_as_it_was(cloud: Cloud, table: str) -> None:
    item = {
        "pk": {"S": "a"},
        "sk": {"S": "b"},
        "binary": {"B": bytes(range(256))},
        "number": {"N": "-1.5"},
        "empty": {"S": ""},
        "null": {"NULL": True},
        "false": {"BOOL": False},
        "strings": {"SS": ["x", "y"]},
        "numbers": {"NS": ["1", "2"]},
        "map": {"M": {"inner": {"L": [{"S": "ä"}, {"M": {}}, {"L": []}]}, "raw": {"B": b"\0"}}},
    }
    client = cloud.client("dynamodb")
    client.put_item(TableName=table, Item=item)
    got = client.get_item(TableName=table, Key={"pk": {"S": "a"}, "sk": {"S": "b"}})
    assert got["Item"] == item


def test_only_members_that_are_present_are_looked_up(
    cloud: Cloud, table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = cloud.client("dynamodb")
    client.put_item(**put(table, "a", "b"))
    looked_up: list[str] = []
    get_value: Any = ResponseSerializer.get_value

    def count(self: Any, value: Any, key: str, shape: Any) -> Any:
        looked_up.append(key)
        return get_value(self, value, key, shape)

    monkeypatch.setattr(ResponseSerializer, "get_value", count)
    assert client.get_item(TableName=table, Key={"pk": {"S": "a"}, "sk": {"S": "b"}})["Item"]
    assert looked_up == []


def test_a_resource_that_moto_does_not_know_is_passed_over_in_silence(
    cloud: Cloud, caplog: pytest.LogCaptureFixture
) -> None:
    template = {"Resources": {"Policy": {"Type": "AWS::S3::BucketPolicy", "Properties": {}}}}
    stacks = cloud.client("cloudformation")
    stacks.create_stack(StackName="silent", TemplateBody=json.dumps(template))
    assert stacks.describe_stacks(StackName="silent")["Stacks"][0]["StackStatus"] == (
        "CREATE_COMPLETE"
    )
    assert caplog.messages == []


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


def test_a_json_template_is_not_read_as_yaml(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    template: Any = {"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}}
    stacks = cloud.client("cloudformation")
    stacks.create_stack(StackName="yaml", TemplateBody="Resources: {Q: {Type: AWS::SQS::Queue}}")
    monkeypatch.setattr(yaml, "load", None)
    stacks.create_stack(StackName="json", TemplateBody=json.dumps(template))
    for name in ("yaml", "json"):
        (resource,) = stacks.describe_stack_resources(StackName=name)["StackResources"]
        assert resource["ResourceType"] == "AWS::SQS::Queue"


def test_a_request_does_not_search_for_services_and_methods(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = cloud.client("sts")
    client.get_caller_identity()

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("something was searched")

    monkeypatch.setattr(os, "listdir", refuse)
    monkeypatch.setattr(inspect, "getmembers", refuse)
    assert client.get_caller_identity()["Account"] == cloud.account


def test_a_message_stays_in_a_queue_that_has_an_event_source_mapping(
    cloud: Cloud, queue: str
) -> None:
    role = cloud.client("iam").create_role(RoleName="any", AssumeRolePolicyDocument="{}")
    code = io.BytesIO()
    zipfile.ZipFile(code, "w").close()
    functions = cloud.client("lambda")
    functions.create_function(
        FunctionName="consumer",
        Role=role["Role"]["Arn"],
        Handler="handler.handler",
        Runtime="python3.13",
        Code={"ZipFile": code.getvalue()},
    )
    client = cloud.client("sqs")
    attributes = client.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
    functions.create_event_source_mapping(
        FunctionName="consumer", EventSourceArn=attributes["Attributes"]["QueueArn"]
    )
    client.send_message(QueueUrl=queue, MessageBody="kept")
    (message,) = client.receive_message(QueueUrl=queue)["Messages"]
    assert message["Body"] == "kept"


def test_task_states_share_their_client(cloud: Cloud) -> None:
    run(cloud, "imports-all", {"Only": {"Type": "Pass", "End": True}})
    users = [m for m in tuple(sys.modules.values()) if hasattr(m, "boto_client_for")]
    assert len(users) > 3
    assert {vars(module)["boto_client_for"] for module in users} == {client_for}


def test_a_callback_is_heard_while_other_executions_start(
    cloud: Cloud, queue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = machine_of(run(cloud, "starting", {"Only": {"Type": "Pass", "End": True}}))
    execution = run(cloud, "heard", {"Wait": waits_for_token(cloud, queue)})
    waiting = token(cloud, queue)
    held = threading.Event()
    monkeypatch.setattr(threading.Thread, "start", _hold_executions(held))
    starting = start(cloud, machine, "held")
    cloud.client("stepfunctions").send_task_success(taskToken=waiting, output='{"heard": 1}')
    held.set()
    assert output(cloud, execution) == {"heard": 1}
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


def test_a_machine_made_by_cloudformation_executes(cloud: Cloud) -> None:
    only = {"Type": "Pass", "Result": {"is": "${Word}"}, "ResultPath": "$.result", "End": True}
    definition = {"StartAt": "Only", "States": {"Only": only}}
    template = {
        "Resources": {
            "Machine": {
                "Type": "AWS::StepFunctions::StateMachine",
                "Properties": {
                    "DefinitionString": json.dumps(definition),
                    "DefinitionSubstitutions": {"Word": {"Ref": "AWS::Region"}},
                    "RoleArn": f"arn:aws:iam::{cloud.account}:role/machine",
                },
            }
        }
    }
    stacks = cloud.client("cloudformation")
    stacks.create_stack(StackName="machine", TemplateBody=json.dumps(template))
    (machine,) = stacks.describe_stack_resources(StackName="machine")["StackResources"]
    execution = start(cloud, machine["PhysicalResourceId"], "one", {"a": 1})
    assert output(cloud, execution) == {"a": 1, "result": {"is": "us-east-1"}}


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
        pass


def test_a_token_of_an_ended_execution_is_invalid(cloud: Cloud, queue: str) -> None:
    execution = run(cloud, "over", {"Wait": waits_for_token(cloud, queue)})
    used = token(cloud, queue)
    client = cloud.client("stepfunctions")
    client.send_task_success(taskToken=used, output="1")
    assert output(cloud, execution) == 1
    with pytest.raises(ClientError, match=r"InvalidToken|TaskTimedOut|TaskDoesNotExist"):
        client.send_task_success(taskToken=used, output="2")
