"""Code interpreter sessions as tasks of ECS on Fargate."""

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
    """What tasks are started from and where; `task` is the ARN of their definition."""

    cluster: str
    task: str
    subnets: Sequence[str]
    security_group: str
    public_ip: bool


class FargateSandboxes:
    """Implements `Sandboxes`; `connect` makes the session that answers at an address."""

    def __init__(
        self,
        place: FargateSettings,
        client: Callable[[], "ECSClient"],
        connect: Callable[[str, str], SandboxSession],
    ) -> None:
        self._place = place
        self._make_client = client
        self._connect = connect

    @cached_property
    def _client(self) -> "ECSClient":
        return self._make_client()

    def launch(self, name: str, token: str) -> str:
        """ECS starts one task for all requests of one name that ask for the same, for a day.

        https://docs.aws.amazon.com/AmazonECS/latest/APIReference/ECS_Idempotency.html
        """
        reason = ""
        for attempt in range(1, _ATTEMPTS + 1):
            with _available():
                answer = self._client.run_task(
                    cluster=self._place.cluster,
                    taskDefinition=self._place.task,
                    launchType="FARGATE",
                    clientToken=name,
                    networkConfiguration={"awsvpcConfiguration": self._network()},
                    overrides={"containerOverrides": [_override(token)]},
                )
            if answer["tasks"]:
                return answer["tasks"][0]["taskArn"]
            reason = answer["failures"][0].get("reason", "")  # such as no capacity just now
            if attempt < _ATTEMPTS:
                pause(attempt)
        raise SandboxUnavailableError(reason)

    def address(self, handle: str) -> str | None:
        if not self._is_here(handle):
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
        if not self._is_here(handle):
            return
        with _available():
            try:
                self._client.stop_task(cluster=self._place.cluster, task=handle)
            except self._client.exceptions.InvalidParameterException:
                return  # ECS has forgotten it

    def _is_here(self, handle: str) -> bool:
        """Rows outlive deployments: a task of another cluster was one of an earlier deployment. It
        has ended, as no cluster can be deleted before its tasks have.
        """
        return f":task/{self._place.cluster}/" in handle

    def _find(self, handle: str) -> "TaskTypeDef":
        """A task may be unknown for some seconds after its launch, and is again from an hour after
        its end. Raises `SandboxLostError`.
        """
        for attempt in range(1, _ATTEMPTS + 1):
            with _available():
                answer = self._client.describe_tasks(cluster=self._place.cluster, tasks=[handle])
            if answer["tasks"]:
                return answer["tasks"][0]
            if attempt < _ATTEMPTS:
                pause(attempt)
        raise SandboxLostError("the task is gone")

    def _network(self) -> "AwsVpcConfigurationTypeDef":
        return {
            "subnets": self._place.subnets,
            "securityGroups": [self._place.security_group],
            "assignPublicIp": "ENABLED" if self._place.public_ip else "DISABLED",
        }


def _override(token: str) -> "ContainerOverrideTypeDef":
    """Whoever may look at tasks sees this, so only the token's hash is in it."""
    digest = hashlib.sha256(token.encode()).hexdigest()
    return {
        "name": CONTAINER,
        "environment": [{"name": "SANDBOX_TOKEN_SHA256", "value": digest}],
    }


@contextmanager
def _available() -> Iterator[None]:
    """The client itself has asked again, where ECS was busy."""
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise SandboxUnavailableError(str(error)) from error
