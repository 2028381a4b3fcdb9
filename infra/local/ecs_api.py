"""The part of ECS that runs tasks: moto has clusters and task definitions, but runs nothing."""

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
class LaunchedTask:
    """A task, the request that launched it, and ECS's description of it at that time."""

    request: Mapping[str, Any]
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
        """Replace moto's address, which no machine has, by the task's."""
        details = {detail["name"]: detail["value"] for detail in attachment["details"]}
        details["privateIPv4Address"] = self.task.address
        pairs = [{"name": name, "value": value} for name, value in details.items()]
        return {**attachment, "details": pairs}


class EcsApi:
    """Answer RunTask, DescribeTasks and StopTask for task definitions with known sources."""

    def __init__(self, account: str) -> None:
        self._account = account
        self._sources: dict[str, Path] = {}
        self._launched: dict[str, LaunchedTask] = {}
        self._lock = threading.Lock()

    def add(self, definition: str, source: Path) -> None:
        """Run tasks of the definition with this ARN from the folder `source`."""
        self._sources[definition] = source

    def find(self, arn: str) -> Task:
        """Return the task with this ARN. Raises KeyError."""
        return self._launched[arn].task

    def running(self) -> dict[str, Task]:
        """Return the running tasks by ARN."""
        with self._lock:
            known = dict(self._launched)
        return {arn: one.task for arn, one in known.items() if one.task.status == "RUNNING"}

    def close(self) -> None:
        """Stop all tasks."""
        end(launched.task for launched in self._launched.values())

    def handle(self, operation: str, body: bytes, moto: AskMoto) -> HttpResponse:
        """Answer one request, or return the answer of `moto`."""
        request = json.loads(body or b"{}")
        match operation:
            case "RunTask" if request.get("taskDefinition") in self._sources:
                with self._lock:
                    return self._run(request, moto)
            case "DescribeTasks":
                return self._describe(request)
            case "StopTask":
                return self._stop(request)
        return moto()

    def _run(self, request: Mapping[str, Any], moto: AskMoto) -> HttpResponse:
        """Launch a task once for its token and cluster, as AWS does for a day."""
        for known in self._launched.values():
            if _token(known.request) == _token(request):
                if known.request != request:
                    return _error("ConflictException", "The token was used for another request")
                return _answer({"tasks": [known.describe()], "failures": []})
        address = free_address()
        if address is None:
            return _answer({"tasks": [], "failures": [NO_ADDRESS]})
        answer = moto()
        if answer.status != 200:
            return answer
        assert isinstance(answer.body, bytes)  # noqa: S101  moto's body always is
        (description,) = json.loads(answer.body)["tasks"]
        definition = description["taskDefinitionArn"]
        task = Task(self._sources[definition], self._environment(definition, request), address)
        self._launched[description["taskArn"]] = launched = LaunchedTask(request, task, description)
        return _answer({"tasks": [launched.describe()], "failures": []})

    def _describe(self, request: Mapping[str, Any]) -> HttpResponse:
        known = [self._launched[arn] for arn in request["tasks"] if arn in self._launched]
        missing = [arn for arn in request["tasks"] if arn not in self._launched]
        failures = [{"arn": arn, "reason": "MISSING"} for arn in missing]
        return _answer({"tasks": [one.describe() for one in known], "failures": failures})

    def _stop(self, request: Mapping[str, Any]) -> HttpResponse:
        launched = self._launched.get(request["task"])
        if launched is None:
            return _error("InvalidParameterException", "The referenced task was not found.")
        launched.task.stop(request.get("reason", "Task stopped by user"))
        return _answer({"task": launched.describe()})

    def _environment(self, definition: str, request: Mapping[str, Any]) -> dict[str, str]:
        """Return the container's variables, overridden by those of the request."""
        known = ecs_backends[self._account][REGION].describe_task_definition(definition)
        (container,) = known.container_definitions
        overrides = request.get("overrides", {}).get("containerOverrides", [])
        given = [one for one in overrides if one["name"] == container["name"]]
        return {
            variable["name"]: str(variable["value"])
            for source in (container, *given)
            for variable in source.get("environment", [])
        }


def _token(request: Mapping[str, Any]) -> tuple[Any, Any]:
    return request.get("cluster"), request.get("clientToken")


def _answer(body: Mapping[str, Any]) -> HttpResponse:
    headers = [("Content-Type", "application/x-amz-json-1.1")]
    return HttpResponse(200, headers, json.dumps(body).encode())


def _error(kind: str, message: str) -> HttpResponse:
    body = json.dumps({"__type": kind, "message": message}).encode()
    return HttpResponse(400, [("Content-Type", "application/x-amz-json-1.1")], body)
