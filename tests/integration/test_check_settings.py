"""The function that checks settings at a deployment, with S3, SSM and CloudFormation's answer."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from openai import OpenAI

from assistants.adapters.new_rights import TRIES, wait_for_rights
from assistants.settings import InvalidSettingsError
from infra.local import LocalStack
from infra.local.custom_resources import RefusedResourceError
from infra.local.invocation import FunctionError

ROOM = {"Bucket": "answers"}


@pytest.fixture(scope="module")
def stack() -> Iterator[LocalStack]:
    with LocalStack() as stack:
        stack.client("s3").create_bucket(**ROOM)
        yield stack


def ask(stack: LocalStack, settings: dict[str, str], **changed: Any) -> dict[str, Any]:
    """CloudFormation's side of it: a signed URL, and the answer that is put there."""
    s3 = stack.client("s3")
    place = {**ROOM, "Key": "answer"}
    event = {
        "RequestType": "Update",
        "ResponseURL": s3.generate_presigned_url("put_object", place),
        "StackId": "arn:stack",
        "RequestId": "request",
        "LogicalResourceId": "CheckedSettings",
        "PhysicalResourceId": "CheckedSettings",
        "ResourceProperties": {"Settings": settings, "Models": [""], "ModelKeys": [""]},
        **changed,
    }
    stack.functions["CheckSettings"].invoke(json.dumps(event).encode()).response()
    return dict(json.loads(s3.get_object(**place)["Body"].read()))


def test_settings_that_can_be_followed_succeed(stack: LocalStack) -> None:
    answer = ask(stack, {"ASSISTANTS_RUN_TTL_SECONDS": "60", "ASSISTANTS_MODEL_URL": ""})
    assert answer == {
        "Status": "SUCCESS",
        "Reason": "",
        "PhysicalResourceId": "CheckedSettings",
        "StackId": "arn:stack",
        "RequestId": "request",
        "LogicalResourceId": "CheckedSettings",
    }


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"ASSISTANTS_MODELS": "{bad"}, "ASSISTANTS_MODELS: "),
        (
            {"ASSISTANTS_MODEL_KEY": "ssm:/no/such/key"},
            "ASSISTANTS_MODEL_KEY: ssm:/no/such/key cannot be read; it must be a SecureString",
        ),
        (
            {"ASSISTANTS_MODELS_FILE": "s3://no-such-bucket/models.json"},
            "ASSISTANTS_MODELS_FILE: s3://no-such-bucket/models.json cannot be read: ",
        ),
        (
            {"ASSISTANTS_MODELS_FILE": "s3://answers/text"},
            "ASSISTANTS_MODELS_FILE: s3://answers/text is no JSON: ",
        ),
        (
            {"ASSISTANTS_MODELS_FILE": "s3://answers/list"},
            "ASSISTANTS_MODELS_FILE: s3://answers/list is no JSON object.",
        ),
    ],
)
def test_settings_that_cannot_fail_with_the_reason(
    stack: LocalStack, settings: dict[str, str], sentence: str
) -> None:
    stack.client("s3").put_object(**ROOM, Key="text", Body=b"gpt-4o")
    stack.client("s3").put_object(**ROOM, Key="list", Body=b"[]")
    answer = ask(stack, settings)
    assert answer["Status"] == "FAILED"
    assert answer["Reason"].startswith(sentence)


def test_a_stack_can_always_be_deleted(stack: LocalStack) -> None:
    answer = ask(stack, {"ASSISTANTS_MODELS": "{bad"}, RequestType="Delete")
    assert answer["Status"] == "SUCCESS"


def test_an_event_that_cannot_be_read_is_answered_all_the_same(stack: LocalStack) -> None:
    answer = ask(stack, {}, ResourceProperties={"Settings": None, "Models": [], "ModelKeys": []})
    assert answer["Status"] == "FAILED"
    assert "-c check_settings=false" in answer["Reason"]


def test_an_answer_that_nobody_takes_fails_the_function(stack: LocalStack) -> None:
    url = stack.client("s3").generate_presigned_url("put_object", {"Bucket": "gone", "Key": "k"})
    with pytest.raises(FunctionError, match="CloudFormation's URL answers 404"):
        ask(stack, {}, ResponseURL=url)


def test_the_local_stack_refuses_what_the_function_refuses() -> None:
    models = {"a": {"provider": "bedrock", "target": "anthropic.claude"}}
    with pytest.raises(RefusedResourceError, match="BedrockModels does not allow"):
        LocalStack(
            {
                "Models": json.dumps(models),
                "BedrockModels": "arn:aws:bedrock:*::foundation-model/amazon.*",
            }
        )


def test_a_map_of_models_of_any_size_is_served() -> None:
    models = {f"gpt-{number}": {"provider": "demo"} for number in range(400)}
    with LocalStack({"Models": json.dumps(models)}) as stack:
        environment = stack.functions["Api"].spec.environment
        assert environment["ASSISTANTS_MODELS"] == ""
        assert environment["ASSISTANTS_MODELS_FILE"].startswith("s3://")
        client = OpenAI(base_url=stack.base_url, api_key="sk-local")
        assert {model.id for model in client.models.list()} == models.keys()


def denied(code: str) -> InvalidSettingsError:
    error = InvalidSettingsError("the setting")
    error.__cause__ = ClientError({"Error": {"Code": code}}, "GetParameter")
    return error


def test_a_right_that_comes_late_is_waited_for() -> None:
    answers: list[Exception | str] = [denied("AccessDeniedException"), denied("AccessDenied"), "ok"]
    pauses: list[float] = []

    def call() -> str:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert wait_for_rights(call, pauses.append) == "ok"
    assert len(pauses) == 2


@pytest.mark.parametrize(("code", "tries"), [("AccessDenied", TRIES), ("ParameterNotFound", 1)])
def test_what_stays_denied_fails_and_what_is_missing_fails_at_once(code: str, tries: int) -> None:
    calls: list[str] = []

    def call() -> None:
        calls.append(code)
        raise denied(code)

    with pytest.raises(InvalidSettingsError):
        wait_for_rights(call, lambda _: None)
    assert len(calls) == tries
