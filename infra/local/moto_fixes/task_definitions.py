"""CloudFormation creates task definitions without network mode, size and platform."""

from typing import Any

from moto.ecs.models import TaskDefinition


def fix() -> None:
    create = TaskDefinition.create_from_cloudformation_json

    def create_whole(resource_name: str, cloudformation_json: Any, *args: Any, **named: Any) -> Any:
        definition = create(resource_name, cloudformation_json, *args, **named)
        given = cloudformation_json["Properties"]
        required = given.get("RequiresCompatibilities")
        definition.requires_compatibilities = required
        definition.compatibilities = ["EC2", *({"FARGATE"} & {*(required or [])})]
        definition.network_mode = given.get("NetworkMode", definition.network_mode)
        definition.cpu = given.get("Cpu")
        return definition

    TaskDefinition.create_from_cloudformation_json = create_whole  # type: ignore[method-assign]
