"""Create state machines and follow their executions."""

import json
import time
from typing import Any

from infra.local.cloud import Cloud

SECONDS = 20


def run(
    cloud: Cloud, name: str, states: dict[str, Any], *, event: object = None, **options: Any
) -> str:
    """Create a machine of `states`, start it at the first one; the execution's ARN."""
    client = cloud.client("stepfunctions")
    definition = {"StartAt": next(iter(states)), "States": states, **options}
    machine = client.create_state_machine(
        name=name,
        definition=json.dumps(definition),
        roleArn=f"arn:aws:iam::{cloud.account}:role/machine",
    )["stateMachineArn"]
    return start(cloud, machine, "one", event)


def start(cloud: Cloud, machine: str, name: str, event: object = None) -> str:
    """Start an execution; its ARN."""
    answer = cloud.client("stepfunctions").start_execution(
        stateMachineArn=machine, name=name, input=json.dumps(event or {})
    )
    return str(answer["executionArn"])


def machine_of(execution: str) -> str:
    """The ARN of the machine that the execution runs."""
    return execution.replace(":execution:", ":stateMachine:").rpartition(":")[0]


def outcome(cloud: Cloud, execution: str) -> Any:
    """Wait for the end of the execution; its description."""
    client = cloud.client("stepfunctions")
    deadline = time.monotonic() + SECONDS
    while (described := client.describe_execution(executionArn=execution))["status"] == "RUNNING":
        assert time.monotonic() < deadline, "the execution did not end"
        time.sleep(0.02)
    return described


def output(cloud: Cloud, execution: str) -> Any:
    """Wait for the end of the execution, which must be a success; its output."""
    described = outcome(cloud, execution)
    assert described["status"] == "SUCCEEDED", described
    return json.loads(described["output"])


def waits_for_token(cloud: Cloud, queue_url: str, *, timeout: int = 60) -> dict[str, Any]:
    """A state that sends its task token to the queue and waits."""
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
        "Parameters": {"QueueUrl": queue_url, "MessageBody.$": "$$.Task.Token"},
        "TimeoutSeconds": timeout,
        "End": True,
    }


def token(cloud: Cloud, queue_url: str) -> str:
    """Wait for a task token on the queue."""
    client = cloud.client("sqs")
    deadline = time.monotonic() + SECONDS
    while not (messages := client.receive_message(QueueUrl=queue_url).get("Messages")):
        assert time.monotonic() < deadline, "no token came"
        time.sleep(0.02)
    return str(messages[0]["Body"])
