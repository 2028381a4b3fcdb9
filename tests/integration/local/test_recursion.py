"""A function that invokes itself by its queue is stopped, as Lambda does, unless it is allowed to.

https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html
"""

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from botocore.exceptions import ClientError

from infra.local import LocalStack
from infra.local.cloud import Cloud
from infra.local.lineage import HEADER, LONGEST, count, extended
from tests.integration.local import toy_template
from tests.integration.local.functions.looper.handler import LAST
from tests.integration.local.toy_functions import spec
from tests.integration.local.toy_queue import depth, send
from tests.support.waiting import wait_until

ARN = "arn:aws:lambda:us-east-1:123456789012:function:one"
OTHER = "arn:aws:lambda:us-east-1:123456789012:function:other"


def test_a_trace_counts_the_invocations_of_each_function() -> None:
    trace = extended(extended(extended("", ARN), OTHER), ARN)
    assert (count(trace, ARN), count(trace, OTHER)) == (2, 1)
    assert trace.startswith(extended("", ARN).partition("-")[0])


def looping(folder: Path, **properties: Any) -> LocalStack:
    function = toy_template.function("looper", **properties)
    redrive = {
        "deadLetterTargetArn": {"Fn::GetAtt": ["Dead", "Arn"]},
        "maxReceiveCount": 1,
    }
    queue = {
        "Type": "AWS::SQS::Queue",
        # Longer than a cold start: no message is received again while its function works.
        "Properties": {"VisibilityTimeout": 8, "RedrivePolicy": redrive},
    }
    return LocalStack(assembly=toy_template.assembly(folder, Consumer=function, Queue=queue))


def test_the_message_after_the_sixteenth_hop_is_put_aside(tmp_path: Path) -> None:
    with looping(tmp_path) as stack:
        send(stack, "1")
        wait_until(lambda: f"got number {LONGEST}." in stack.functions["Consumer"].logs)
        wait_until(lambda: depth(stack, "Dead") == 1)
        assert f"got number {LONGEST + 1}." not in stack.functions["Consumer"].logs


def test_a_function_that_may_loop_goes_on(tmp_path: Path) -> None:
    with looping(tmp_path, RecursiveLoop="Allow") as stack:
        send(stack, "1")
        wait_until(lambda: f"got number {LAST}." in stack.functions["Consumer"].logs)


def test_an_invocation_that_closes_a_loop_is_refused(cloud: Cloud) -> None:
    cloud.functions.add(spec("toy"))
    trace = ""
    for _ in range(LONGEST):
        trace = extended(extended(trace, cloud.functions["Toy"].arn), OTHER)
    client = cloud.client("lambda")
    client.meta.events.register(
        "before-send.lambda.Invoke",
        lambda request, **_: request.headers.update({HEADER: quote(trace)}),
    )
    with pytest.raises(ClientError) as refused:
        client.invoke(FunctionName="test-toy", Payload=json.dumps({"do": "echo"}))
    assert refused.value.response["Error"]["Code"] == "RecursiveInvocationException"
    assert cloud.functions["Toy"].invocations == 0
