"""The endpoint runs functions by Lambda's API, leaves the rest to moto, and records who called."""

import json
import time
from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError

from infra.local.cloud import Cloud
from infra.local.recorder import AwsCall
from tests.integration.local.toy_functions import spec


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with Cloud() as cloud:
        for folder in ("toy", "toy_stream", "caller"):
            cloud.functions.add(spec(folder))
        yield cloud


def test_invoke_answers_with_the_functions_result(cloud: Cloud) -> None:
    answer = cloud.client("lambda").invoke(
        FunctionName=cloud.functions["Toy"].arn, Payload=b'{"do": "echo", "value": [1]}'
    )
    assert json.load(answer["Payload"])["echo"] == [1]
    assert answer["StatusCode"] == 200
    assert "FunctionError" not in answer


def test_a_functions_error_is_marked_as_lambda_does(cloud: Cloud) -> None:
    answer = cloud.client("lambda").invoke(
        FunctionName="test-toy", Payload=b'{"do": "fail", "message": "no"}'
    )
    assert answer["FunctionError"] == "Unhandled"
    assert json.load(answer["Payload"])["errorType"] == "ValueError"


def test_an_event_is_accepted_at_once_and_run_later(cloud: Cloud) -> None:
    answer = cloud.client("lambda").invoke(
        FunctionName="test-toy",
        InvocationType="Event",
        Payload=b'{"do": "print", "value": "ran as an event"}',
    )
    assert answer["StatusCode"] == 202
    while "ran as an event" not in cloud.functions["Toy"].logs:
        time.sleep(0.01)


def test_a_dry_run_runs_nothing(cloud: Cloud) -> None:
    before = cloud.functions["Toy"].invocations
    answer = cloud.client("lambda").invoke(FunctionName="test-toy", InvocationType="DryRun")
    assert answer["StatusCode"] == 204
    assert cloud.functions["Toy"].invocations == before


def test_an_unknown_function_is_not_found(cloud: Cloud) -> None:
    client = cloud.client("lambda")
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.invoke(FunctionName="nobody")


def test_a_function_above_its_concurrency_is_throttled(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cloud.functions["Toy"], "limit", 0)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    client = cloud.client("lambda")
    with pytest.raises(client.exceptions.TooManyRequestsException):
        client.invoke(FunctionName="test-toy")


@pytest.mark.parametrize(
    ("kind", "payload", "error"),
    [
        ("RequestResponse", b'"' + b"x" * 6_300_000 + b'"', "RequestTooLargeException"),
        ("Event", b'"' + b"x" * 1_100_000 + b'"', "RequestTooLargeException"),
        ("RequestResponse", b"{not json", "InvalidRequestContentException"),
    ],
)
def test_an_event_that_lambda_refuses_is_refused(
    cloud: Cloud, kind: str, payload: bytes, error: str
) -> None:
    with pytest.raises(ClientError) as caught:
        cloud.client("lambda").invoke(FunctionName="test-toy", InvocationType=kind, Payload=payload)
    assert caught.value.response["Error"]["Code"] == error


def test_a_streamed_response_comes_as_an_event_stream(cloud: Cloud) -> None:
    answer = cloud.client("lambda").invoke_with_response_stream(
        FunctionName="test-toy_stream", Payload=b'{"do": "count", "to": 2}'
    )
    events = list(answer["EventStream"])
    chunks = [event["PayloadChunk"]["Payload"] for event in events if "PayloadChunk" in event]
    assert chunks[1:] == [b"data: 0\n\n", b"data: 1\n\n"]
    assert events[-1]["InvokeComplete"] == {}


def test_an_error_within_a_streamed_response_is_in_its_last_event(cloud: Cloud) -> None:
    answer = cloud.client("lambda").invoke_with_response_stream(
        FunctionName="test-toy_stream", Payload=b'{"do": "fail within"}'
    )
    assert list(answer["EventStream"])[-1]["InvokeComplete"] == {
        "ErrorCode": "ValueError",
        "ErrorDetails": "broken off",
    }


def test_each_call_is_recorded_with_the_function_that_made_it(cloud: Cloud) -> None:
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="records")
    cloud.calls.clear()
    s3.put_object(Bucket="records", Key="a/b_c", Body=b"1", Metadata={"x": "y"})
    cloud.client("ssm", recorded=False).put_parameter(Name="/p", Value="v", Type="String")
    cloud.client("lambda").invoke(FunctionName="test-caller")
    assert list(cloud.calls) == [
        AwsCall(None, "s3", "PutObject"),
        AwsCall(None, "lambda", "Invoke"),
        AwsCall("Caller", "ssm", "GetParameter"),
        AwsCall("Caller", "s3", "GetObject"),
        AwsCall("Caller", "s3", "ListObjectsV2"),
        AwsCall("Caller", "sts", "GetCallerIdentity"),
    ]
    assert cloud.calls.counts()["Caller", "s3", "GetObject"] == 1  # type: ignore[index]


def test_s3_keeps_bytes_names_and_lengths(cloud: Cloud) -> None:
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="bytes")
    body = bytes(range(256)) * 1000
    s3.put_object(Bucket="bytes", Key="ä b/c+d%", Body=body)
    assert s3.get_object(Bucket="bytes", Key="ä b/c+d%")["Body"].read() == body
    assert s3.head_object(Bucket="bytes", Key="ä b/c+d%")["ContentLength"] == len(body)


def test_two_accounts_in_one_process_do_not_see_each_other(cloud: Cloud) -> None:
    cloud.client("sqs").create_queue(QueueName="mine")
    with Cloud() as other:
        assert other.client("sqs").list_queues().get("QueueUrls", []) == []
        assert other.client("sts").get_caller_identity()["Account"] == other.account
    assert cloud.account != other.account
