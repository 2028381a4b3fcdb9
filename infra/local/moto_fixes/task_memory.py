"""RunTask fails for a container without its own memory limit; on Fargate the task's suffices."""

from typing import Any

from moto.ecs.models import EC2ContainerServiceBackend as Backend


def fix() -> None:
    requirements = Backend._calculate_task_resource_requirements

    def of_task(task_definition: Any) -> dict[str, Any]:
        if "FARGATE" in task_definition.compatibilities:
            return {"CPU": task_definition.cpu, "MEMORY": task_definition.memory, "PORTS": []}
        return requirements(task_definition)

    Backend._calculate_task_resource_requirements = staticmethod(of_task)  # type: ignore[method-assign]
