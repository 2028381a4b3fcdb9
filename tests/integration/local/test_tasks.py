"""Tasks that ECS runs on this machine: real processes, and none is left over."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.local import ecs_api
from infra.local.cloud import Cloud
from infra.local.tasks import PORT, free_address

SANDBOX = Path("functions/sandbox").resolve()
HASH = {"name": "SANDBOX_TOKEN_SHA256", "value": "0" * 64}
TEMPLATE = {
    "Resources": {
        "Sandboxes": {"Type": "AWS::ECS::Cluster"},
        "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}},
        "Subnet": {
            "Type": "AWS::EC2::Subnet",
            "Properties": {"VpcId": {"Ref": "Vpc"}, "CidrBlock": "10.0.0.0/18"},
        },
        "Group": {
            "Type": "AWS::EC2::SecurityGroup",
            "Properties": {"VpcId": {"Ref": "Vpc"}, "GroupDescription": "sessions"},
        },
        "Task": {
            "Type": "AWS::ECS::TaskDefinition",
            "Properties": {
                "RequiresCompatibilities": ["FARGATE"],
                "NetworkMode": "awsvpc",
                "Cpu": "256",
                "Memory": "1024",
                "ContainerDefinitions": [
                    {
                        "Name": "sandbox",
                        "Image": "sandbox",
                        "Environment": [
                            {"Name": "SANDBOX_PRELOAD", "Value": ""},
                            {"Name": "SANDBOX_MEMORY_MB", "Value": "600"},
                        ],
                    }
                ],
            },
        },
    }
}
LEFT_ALONE = """
import sys
from tests.integration.local.test_tasks import deployed, launch, running
from infra.local.cloud import Cloud
cloud = Cloud()
order = deployed(cloud)
arn = launch(cloud, order)
running(cloud, arn)
print(cloud.tasks.find(arn).process_id, flush=True)
sys.stdin.read()
"""


def deployed(cloud: Cloud) -> dict[str, Any]:
    """A cluster and a definition made by CloudFormation; what RunTask takes."""
    stacks = cloud.client("cloudformation")
    stacks.create_stack(StackName="tasks", TemplateBody=json.dumps(TEMPLATE))
    found = stacks.describe_stack_resources(StackName="tasks")["StackResources"]
    ids = {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in found}
    cloud.tasks.add(ids["Task"], SANDBOX)
    network = {"subnets": [ids["Subnet"]], "securityGroups": [ids["Group"]]}
    return {
        "cluster": ids["Sandboxes"],
        "taskDefinition": ids["Task"],
        "launchType": "FARGATE",
        "networkConfiguration": {"awsvpcConfiguration": network},
        "overrides": {"containerOverrides": [{"name": "sandbox", "environment": [HASH]}]},
    }


def launch(cloud: Cloud, order: dict[str, Any], **more: Any) -> str:
    (task,) = cloud.client("ecs").run_task(**{**order, **more})["tasks"]
    return str(task["taskArn"])


def described(cloud: Cloud, arn: str) -> dict[str, Any]:
    answer = cloud.client("ecs").describe_tasks(cluster="sandboxes", tasks=[arn])
    (task,) = answer["tasks"]
    return dict(task)


def running(cloud: Cloud, arn: str) -> dict[str, Any]:
    give_up = time.monotonic() + 30
    while time.monotonic() < give_up:
        task = described(cloud, arn)
        if task["lastStatus"] == "RUNNING":
            return task
        assert task["lastStatus"] == "PENDING", task
        time.sleep(0.02)
    raise AssertionError("the task does not come up")


def gone(process_id: int) -> bool:
    give_up = time.monotonic() + 20
    while time.monotonic() < give_up:
        if not Path(f"/proc/{process_id}").exists():
            return True
        time.sleep(0.05)
    return False


@pytest.fixture
def order(cloud: Cloud) -> Iterator[dict[str, Any]]:
    yield deployed(cloud)


def test_a_task_comes_up_with_the_variables_of_its_definition_and_of_the_request(
    cloud: Cloud, order: dict[str, Any]
) -> None:
    arn = launch(cloud, order)
    running(cloud, arn)
    process = Path(f"/proc/{cloud.tasks.find(arn).process_id}")
    # The daemon takes the token's hash out of its environment, but not out of what exec left there.
    variables = dict(
        line.split("=", 1) for line in process.joinpath("environ").read_text().split("\0") if line
    )
    assert variables["SANDBOX_MEMORY_MB"] == "600"
    assert variables["SANDBOX_TOKEN_SHA256"] == "0" * 64
    assert variables["SANDBOX_HOST"] == cloud.tasks.find(arn).address


def test_each_task_has_an_address_of_its_own(cloud: Cloud, order: dict[str, Any]) -> None:
    tasks = [running(cloud, launch(cloud, order)) for _ in range(2)]
    addresses = {
        detail["value"]
        for task in tasks
        for attachment in task["attachments"]
        for detail in attachment["details"]
        if detail["name"] == "privateIPv4Address"
    }
    assert len(addresses) == 2
    for address in addresses:
        socket.create_connection((address, PORT), timeout=5).close()


def test_one_client_token_starts_one_task_in_a_cluster(cloud: Cloud, order: dict[str, Any]) -> None:
    first, again = (launch(cloud, order, clientToken="once") for _ in range(2))
    assert first == again
    with pytest.raises(ClientError, match="ConflictException"):
        launch(cloud, order, clientToken="once", startedBy="somebody")


def test_a_stopped_task_says_why(cloud: Cloud, order: dict[str, Any]) -> None:
    arn = launch(cloud, order)
    cloud.client("ecs").stop_task(cluster=order["cluster"], task=arn, reason="enough")
    task = described(cloud, arn)
    assert (task["lastStatus"], task["desiredStatus"]) == ("STOPPED", "STOPPED")
    assert task["stoppedReason"] == "enough"


def test_a_task_that_cannot_start_has_stopped(cloud: Cloud, order: dict[str, Any]) -> None:
    bad = {"name": "SANDBOX_MEMORY_MB", "value": "much"}
    overrides = {"containerOverrides": [{"name": "sandbox", "environment": [HASH, bad]}]}
    arn = launch(cloud, order, overrides=overrides)
    give_up = time.monotonic() + 20
    while (task := described(cloud, arn))["lastStatus"] == "PENDING":
        assert time.monotonic() < give_up
        time.sleep(0.05)
    assert task["lastStatus"] == "STOPPED"
    assert "exit code" in task["stoppedReason"]


def test_an_unknown_task_is_missing_and_cannot_be_stopped(
    cloud: Cloud, order: dict[str, Any]
) -> None:
    ecs = cloud.client("ecs")
    answer = ecs.describe_tasks(cluster=order["cluster"], tasks=["arn:unknown"])
    assert answer["tasks"] == []
    assert answer["failures"] == [{"arn": "arn:unknown", "reason": "MISSING"}]
    with pytest.raises(ecs.exceptions.InvalidParameterException):
        ecs.stop_task(cluster=order["cluster"], task="arn:unknown")


def test_a_machine_whose_port_is_taken_starts_no_task(
    cloud: Cloud, order: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ecs_api, "free_address", lambda: None)
    answer = cloud.client("ecs").run_task(**order)
    assert answer["tasks"] == []
    assert "port 8080" in answer["failures"][0]["reason"]


def test_an_address_is_one_of_this_machine_alone() -> None:
    address = free_address()
    assert address is not None and address.startswith("127.")


def test_nothing_of_a_task_is_left_when_the_stack_ends() -> None:
    with Cloud() as cloud:
        order = deployed(cloud)
        arn = launch(cloud, order)
        running(cloud, arn)
        task = cloud.tasks.find(arn)
        process_id, files = task.process_id, task.files
        assert files.exists()
    assert gone(process_id)
    assert not files.exists()


def test_no_task_outlives_a_stack_that_is_killed(tmp_path: Path) -> None:
    stack = subprocess.Popen(
        [sys.executable, "-c", LEFT_ALONE],
        env={**os.environ, "TMPDIR": str(tmp_path)},  # what nobody is left to remove
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert stack.stdin and stack.stdout
    process_id = int(stack.stdout.readline())
    os.kill(stack.pid, signal.SIGKILL)
    stack.wait()
    stack.stdin.close()
    stack.stdout.close()
    assert gone(process_id)
    assert [path for path in tmp_path.glob("sandbox-*/*/*") if path.is_file()] == []
