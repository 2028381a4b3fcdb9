"""moto's other services with their fixes: each has a test here that fails without it."""

import inspect
import io
import json
import os
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from infra.local.cloud import Cloud
from tests.integration.local.machines import output, start


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with Cloud() as cloud:
        yield cloud


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
