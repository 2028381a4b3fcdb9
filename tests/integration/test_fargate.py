"""Sessions as tasks of ECS: the adapter against tasks that really run, and against a busy ECS."""

import hashlib
import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import urllib3
from botocore.exceptions import ClientError

from assistants.adapters.sandbox import fargate
from assistants.adapters.sandbox.client import SandboxClient
from assistants.adapters.sandbox.fargate import FargateSandboxes, FargateSettings
from assistants.ports.sandbox import SandboxLostError, SandboxSession, SandboxUnavailableError
from infra.local.cloud import Cloud

SANDBOX = Path("functions/sandbox").resolve()
TOKEN = "a token that opens one session"
HANDLE = "arn:aws:ecs:us-east-1:123456789012:task/sandboxes/0123456789abcdef"


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with Cloud() as cloud:
        yield cloud


@pytest.fixture(scope="module")
def place(cloud: Cloud) -> FargateSettings:
    """A definition as the template has it, whose kernels are up at once."""
    ecs, ec2 = cloud.client("ecs"), cloud.client("ec2")
    ecs.create_cluster(clusterName="sandboxes")
    variables = {"SANDBOX_PRELOAD": "", "SANDBOX_MEMORY_MB": "700", "SANDBOX_TTL_SECONDS": "500"}
    definition = ecs.register_task_definition(
        family="sandbox",
        requiresCompatibilities=["FARGATE"],
        networkMode="awsvpc",
        cpu="256",
        memory="1024",
        containerDefinitions=[
            {
                "name": "sandbox",
                "image": "sandbox",
                "environment": [{"name": k, "value": v} for k, v in variables.items()],
            }
        ],
    )["taskDefinition"]["taskDefinitionArn"]
    cloud.tasks.add(definition, SANDBOX)
    subnet = ec2.describe_subnets()["Subnets"][0]
    group = ec2.create_security_group(
        GroupName="sessions", Description="sessions", VpcId=subnet["VpcId"]
    )
    return FargateSettings(
        cluster="sandboxes",
        task=definition,
        subnets=(subnet["SubnetId"],),
        security_group=group["GroupId"],
        public_ip=False,
    )


@pytest.fixture
def sandboxes(cloud: Cloud, place: FargateSettings) -> FargateSandboxes:
    return FargateSandboxes(place, lambda: cloud.client("ecs"), unconnected)


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The attempts after which the adapter would have slept."""
    slept: list[int] = []
    monkeypatch.setattr(fargate, "pause", slept.append)
    return slept


def unconnected(address: str, token: str) -> SandboxSession:
    raise AssertionError("no session is opened here")


def came_up(sandboxes: FargateSandboxes, handle: str) -> str:
    give_up = time.monotonic() + 30
    while time.monotonic() < give_up:
        if address := sandboxes.address(handle):
            return address
        time.sleep(0.02)
    raise AssertionError("the task does not come up")


def refused(code: str) -> Callable[..., Any]:
    def refuse(**_: Any) -> Any:
        raise ClientError({"Error": {"Code": code, "Message": f"{code}!"}}, "RunTask")

    return refuse


class Answers:
    """A client whose answers are those of AWS's documentation."""

    def __init__(self, **answers: Any) -> None:
        self.answers = answers
        self.calls: list[str] = []

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        def answer(**parameters: Any) -> Any:
            self.calls.append(operation)
            answered = self.answers[operation]
            return answered(**parameters) if callable(answered) else answered

        return answer


def over(client: Any, place: FargateSettings) -> FargateSandboxes:
    return FargateSandboxes(place, lambda: client, unconnected)


def test_a_session_answers_to_its_token_where_the_task_says(sandboxes: FargateSandboxes) -> None:
    handle = sandboxes.launch("answers", TOKEN)
    address = came_up(sandboxes, handle)
    health = SandboxClient(address, TOKEN).health()
    assert address.startswith("http://127.") and address.endswith(":8080")
    assert health["seconds_left"] <= 500  # the definition's variables are honoured
    with pytest.raises(SandboxLostError):
        SandboxClient(address, "another token").health()
    sandboxes.stop(handle)


def test_a_repeated_launch_starts_nothing_twice(sandboxes: FargateSandboxes) -> None:
    handles = {sandboxes.launch("twice", TOKEN) for _ in range(3)}
    other = sandboxes.launch("another", TOKEN)
    assert len(handles) == 1
    assert other not in handles
    for handle in (*handles, other):
        sandboxes.stop(handle)


def test_a_name_is_not_used_for_two_tokens(sandboxes: FargateSandboxes) -> None:
    handle = sandboxes.launch("conflict", TOKEN)
    with pytest.raises(SandboxUnavailableError, match="ConflictException"):
        sandboxes.launch("conflict", "another token")
    sandboxes.stop(handle)


def test_only_the_hash_of_a_token_is_shown_to_ecs(
    cloud: Cloud, sandboxes: FargateSandboxes, place: FargateSettings
) -> None:
    handle = sandboxes.launch("secret", TOKEN)
    shown = str(cloud.client("ecs").describe_tasks(cluster=place.cluster, tasks=[handle]))
    assert TOKEN not in shown
    assert hashlib.sha256(TOKEN.encode()).hexdigest() in shown
    sandboxes.stop(handle)


def test_a_stopped_session_is_lost_and_can_be_stopped_again(sandboxes: FargateSandboxes) -> None:
    handle = sandboxes.launch("stopped", TOKEN)
    address = came_up(sandboxes, handle)
    sandboxes.stop(handle)
    sandboxes.stop(handle)
    with pytest.raises(SandboxLostError):
        sandboxes.address(handle)
    with pytest.raises(urllib3.exceptions.HTTPError):
        urllib3.request("GET", f"{address}/v1/health", retries=False, timeout=2)


def test_a_session_whose_process_dies_is_lost(cloud: Cloud, sandboxes: FargateSandboxes) -> None:
    handle = sandboxes.launch("dies", TOKEN)
    came_up(sandboxes, handle)
    task = cloud.tasks.find(handle)
    os.kill(task.process_id, signal.SIGKILL)
    while task.status == "RUNNING":
        time.sleep(0.02)
    with pytest.raises(SandboxLostError, match="exited"):
        sandboxes.address(handle)


def test_a_session_that_nobody_knows_is_lost(
    sandboxes: FargateSandboxes, pauses: list[int]
) -> None:
    with pytest.raises(SandboxLostError, match="gone"):
        sandboxes.address(HANDLE)
    assert pauses == [1, 2, 3]  # as ECS may not know a new task yet
    sandboxes.stop(HANDLE)


def test_a_session_of_a_cluster_that_was_replaced_is_lost_and_needs_no_end(
    place: FargateSettings,
) -> None:
    client = Answers(describe_tasks=refused("AccessDenied"), stop_task=refused("AccessDenied"))
    new = over(client, replace(place, cluster="new-sandboxes"))
    with pytest.raises(SandboxLostError, match="cluster"):
        new.address(HANDLE)
    new.stop(HANDLE)
    assert client.calls == []


@pytest.mark.parametrize("code", ["ThrottlingException", "ServerException", "ClientException"])
def test_a_busy_ecs_means_no_session_now(place: FargateSettings, code: str) -> None:
    with pytest.raises(SandboxUnavailableError, match=code):
        over(Answers(run_task=refused(code)), place).launch("busy", TOKEN)


def test_no_capacity_is_asked_for_again(place: FargateSettings, pauses: list[int]) -> None:
    """https://docs.aws.amazon.com/AmazonECS/latest/developerguide/api_failures_messages.html"""
    reason = "Capacity is unavailable at this time. Please try again later"
    client = Answers(run_task={"tasks": [], "failures": [{"reason": reason}]})
    with pytest.raises(SandboxUnavailableError, match="Capacity is unavailable"):
        over(client, place).launch("full", TOKEN)
    assert client.calls == ["run_task"] * 4
    assert pauses == [1, 2, 3]


@pytest.mark.parametrize("status", ["PROVISIONING", "PENDING", "ACTIVATING"])
def test_a_task_that_is_coming_up_has_no_address_yet(place: FargateSettings, status: str) -> None:
    task = {"lastStatus": status, "desiredStatus": "RUNNING", "attachments": []}
    client = Answers(describe_tasks={"tasks": [task], "failures": []})
    assert over(client, place).address(HANDLE) is None


@pytest.mark.parametrize("status", ["RUNNING", "DEACTIVATING", "STOPPING", "DEPROVISIONING"])
def test_a_task_that_is_to_stop_is_lost_already(place: FargateSettings, status: str) -> None:
    reason = "CannotPullContainerError"
    task = {"lastStatus": status, "desiredStatus": "STOPPED", "stoppedReason": reason}
    client = Answers(describe_tasks={"tasks": [task], "failures": []})
    with pytest.raises(SandboxLostError, match=reason):
        over(client, place).address(HANDLE)


def test_a_network_with_a_way_out_gives_the_task_an_address_for_it(place: FargateSettings) -> None:
    asked: list[dict[str, Any]] = []

    def run_task(**parameters: Any) -> Any:
        asked.append(parameters)
        return {"tasks": [{"taskArn": "arn"}], "failures": []}

    public = FargateSettings(place.cluster, place.task, ("a", "b"), "sg", public_ip=True)
    over(Answers(run_task=run_task), public).launch("public", TOKEN)
    over(Answers(run_task=run_task), place).launch("isolated", TOKEN)
    networks = [one["networkConfiguration"]["awsvpcConfiguration"] for one in asked]
    assert [one["assignPublicIp"] for one in networks] == ["ENABLED", "DISABLED"]
    assert networks[0]["subnets"] == ("a", "b")
