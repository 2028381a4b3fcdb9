"""Code interpreter sessions as ECS tasks on Fargate."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from assistants.adapters.backoff import pause
from assistants.ports.sandbox import SandboxLostError, SandboxSession, SandboxUnavailableError

if TYPE_CHECKING:
    from mypy_boto3_ecs import ECSClient
    from mypy_boto3_ecs.type_defs import (
        AwsVpcConfigurationTypeDef,
        ContainerOverrideTypeDef,
        TaskTypeDef,
    )

PORT = 8080
CONTAINER = "sandbox"
_ATTEMPTS = 4


@dataclass(frozen=True)
class FargateSettings:
    """The launch options of tasks. `task` is the ARN of their definition."""

    cluster: str
    task: str
    subnets: Sequence[str]
    security_group: str
    public_ip: bool


class FargateSandboxes:
    """Implement `Sandboxes`. `connect` returns the session for an address and a token."""

    def __init__(
        self,
        settings: FargateSettings,
        client: Callable[[], "ECSClient"],
        connect: Callable[[str, str], SandboxSession],
    ) -> None:
        self._settings = settings
        self._make_client = client
        self._connect = connect

    @cached_property
    def _client(self) -> "ECSClient":
        return self._make_client()

    def launch(self, name: str, token: str) -> str:
        """Run a task. For a day, ECS starts one task for all equal requests with one name.

        https://docs.aws.amazon.com/AmazonECS/latest/APIReference/ECS_Idempotency.html
        """
        reason = ""
        for attempt in range(1, _ATTEMPTS + 1):
            with _available():
                answer = self._client.run_task(
                    cluster=self._settings.cluster,
                    taskDefinition=self._settings.task,
                    launchType="FARGATE",
                    clientToken=name,
                    networkConfiguration={"awsvpcConfiguration": self._network()},
                    overrides={"containerOverrides": [_override(token)]},
                )
            if answer["tasks"]:
                return answer["tasks"][0]["taskArn"]
            reason = answer["failures"][0].get("reason", "")  # such as a lack of capacity
            if attempt < _ATTEMPTS:
                pause(attempt)
        raise SandboxUnavailableError(reason)

    def address(self, handle: str) -> str | None:
        if not self._is_current(handle):
            raise SandboxLostError("the task's cluster is gone")
        task = self._find(handle)
        if task["desiredStatus"] == "STOPPED":
            raise SandboxLostError(task.get("stoppedReason", "the task has stopped"))
        if task["lastStatus"] != "RUNNING":
            return None
        (address,) = (
            detail["value"]
            for attachment in task["attachments"]
            for detail in attachment["details"]
            if detail["name"] == "privateIPv4Address"
        )
        return f"http://{address}:{PORT}"

    def open(self, address: str, token: str) -> SandboxSession:
        return self._connect(address, token)

    def stop(self, handle: str) -> None:
        if not self._is_current(handle):
            return
        with _available():
            try:
                self._client.stop_task(cluster=self._settings.cluster, task=handle)
            except self._client.exceptions.InvalidParameterException:
                return  # ECS no longer knows it

    def _is_current(self, handle: str) -> bool:
        """Return whether the task belongs to the present cluster.

        A task of another cluster is from an earlier deployment, and has ended: no cluster can be
        deleted while it has tasks.
        """
        return f":task/{self._settings.cluster}/" in handle

    def _find(self, handle: str) -> "TaskTypeDef":
        """Return the task. Raises `SandboxLostError`.

        ECS may not know a task for some seconds after its launch, and forgets it an hour after its
        end.
        """
        for attempt in range(1, _ATTEMPTS + 1):
            with _available():
                answer = self._client.describe_tasks(cluster=self._settings.cluster, tasks=[handle])
            if answer["tasks"]:
                return answer["tasks"][0]
            if attempt < _ATTEMPTS:
                pause(attempt)
        raise SandboxLostError("the task is gone")

    def _network(self) -> "AwsVpcConfigurationTypeDef":
        return {
            "subnets": self._settings.subnets,
            "securityGroups": [self._settings.security_group],
            "assignPublicIp": "ENABLED" if self._settings.public_ip else "DISABLED",
        }


def _override(token: str) -> "ContainerOverrideTypeDef":
    """Return the override of a task, with the token's hash: whoever describes tasks sees it."""
    digest = hashlib.sha256(token.encode()).hexdigest()
    return {
        "name": CONTAINER,
        "environment": [{"name": "SANDBOX_TOKEN_SHA256", "value": digest}],
    }


@contextmanager
def _available() -> Iterator[None]:
    """Raise `SandboxUnavailableError` for errors of ECS, after the client's own retries."""
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise SandboxUnavailableError(str(error)) from error
