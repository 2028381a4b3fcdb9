"""The part of ECS that runs tasks; moto knows clusters and task definitions, and runs nothing."""

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from moto.ecs.models import ecs_backends

from infra.local.function_spec import REGION
from infra.local.http_message import HttpResponse
from infra.local.tasks import PORT, Task, end, free_address

AskMoto = Callable[[], HttpResponse]
NO_ADDRESS = {"arn": "", "reason": f"RESOURCE:ENI (port {PORT} of this machine is taken)"}


@dataclass(frozen=True)
class Launched:
    """A task, the request that it was launched by, and how ECS described it then."""

    order: Mapping[str, Any]
    task: Task
    description: Mapping[str, Any]

    def describe(self) -> dict[str, Any]:
        status = self.task.status
        described = {**self.description, "lastStatus": status}
        described["desiredStatus"] = "STOPPED" if status == "STOPPED" else "RUNNING"
        described["attachments"] = [self._addressed(one) for one in described["attachments"]]
        if status == "STOPPED":
            described["stoppedReason"] = self.task.stopped_reason
        return described

    def _addressed(self, attachment: Mapping[str, Any]) -> dict[str, Any]:
        """moto gives its tasks an address of no machine."""
        details = {detail["name"]: detail["value"] for detail in attachment["details"]}
        details["privateIPv4Address"] = self.task.address
        pairs = [{"name": name, "value": value} for name, value in details.items()]
        return {**attachment, "details": pairs}


class EcsApi:
    """RunTask of the task definitions whose sources are known, DescribeTasks and StopTask."""

    def __init__(self, account: str) -> None:
        self._account = account
        self._sources: dict[str, Path] = {}
        self._launched: dict[str, Launched] = {}
        self._lock = threading.Lock()

    def add(self, definition: str, source: Path) -> None:
        """Run tasks of the definition with this ARN from the folder `source`."""
        self._sources[definition] = source

    def find(self, arn: str) -> Task:
        """Raises KeyError."""
        return self._launched[arn].task

    def running(self) -> dict[str, Task]:
        """The tasks that are up, by their ARNs."""
        with self._lock:
            known = dict(self._launched)
        return {arn: one.task for arn, one in known.items() if one.task.status == "RUNNING"}

    def close(self) -> None:
        """End all tasks."""
        end(launched.task for launched in self._launched.values())

    def handle(self, operation: str, body: bytes, moto: AskMoto) -> HttpResponse:
        """Answer one request; `moto` does so for all that is about something else."""
        order = json.loads(body or b"{}")
        match operation:
            case "RunTask" if order.get("taskDefinition") in self._sources:
                with self._lock:
                    return self._run(order, moto)
            case "DescribeTasks":
                return self._describe(order)
            case "StopTask":
                return self._stop(order)
        return moto()

    def _run(self, order: Mapping[str, Any], moto: AskMoto) -> HttpResponse:
        """Once for a token and its cluster, as AWS does for a day."""
        for known in self._launched.values():
            if _token(known.order) == _token(order):
                if known.order != order:
                    return _error("ConflictException", "The token was used for another request")
                return _answer({"tasks": [known.describe()], "failures": []})
        address = free_address()
        if address is None:
            return _answer({"tasks": [], "failures": [NO_ADDRESS]})
        answer = moto()
        if answer.status != 200:
            return answer
        assert isinstance(answer.body, bytes)  # noqa: S101  moto's always is
        (description,) = json.loads(answer.body)["tasks"]
        definition = description["taskDefinitionArn"]
        task = Task(self._sources[definition], self._environment(definition, order), address)
        self._launched[description["taskArn"]] = launched = Launched(order, task, description)
        return _answer({"tasks": [launched.describe()], "failures": []})

    def _describe(self, order: Mapping[str, Any]) -> HttpResponse:
        known = [self._launched[arn] for arn in order["tasks"] if arn in self._launched]
        missing = [arn for arn in order["tasks"] if arn not in self._launched]
        failures = [{"arn": arn, "reason": "MISSING"} for arn in missing]
        return _answer({"tasks": [one.describe() for one in known], "failures": failures})

    def _stop(self, order: Mapping[str, Any]) -> HttpResponse:
        launched = self._launched.get(order["task"])
        if launched is None:
            return _error("InvalidParameterException", "The referenced task was not found.")
        launched.task.stop(order.get("reason", "Task stopped by user"))
        return _answer({"task": launched.describe()})

    def _environment(self, definition: str, order: Mapping[str, Any]) -> dict[str, str]:
        """The container's variables, and over them those of the request."""
        known = ecs_backends[self._account][REGION].describe_task_definition(definition)
        (container,) = known.container_definitions
        overrides = order.get("overrides", {}).get("containerOverrides", [])
        given = [one for one in overrides if one["name"] == container["name"]]
        return {
            variable["name"]: str(variable["value"])
            for source in (container, *given)
            for variable in source.get("environment", [])
        }


def _token(order: Mapping[str, Any]) -> tuple[Any, Any]:
    return order.get("cluster"), order.get("clientToken")


def _answer(body: Mapping[str, Any]) -> HttpResponse:
    headers = [("Content-Type", "application/x-amz-json-1.1")]
    return HttpResponse(200, headers, json.dumps(body).encode())


def _error(kind: str, message: str) -> HttpResponse:
    body = json.dumps({"__type": kind, "message": message}).encode()
    return HttpResponse(400, [("Content-Type", "application/x-amz-json-1.1")], body)
