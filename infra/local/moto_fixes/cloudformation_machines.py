"""CloudFormation creates state machines in a backend that does not execute them.

It also leaves DefinitionSubstitutions out of the definition.
"""

from typing import Any

from moto.stepfunctions import models
from moto.stepfunctions.models import StateMachine
from moto.stepfunctions.parser.models import stepfunctions_parser_backends


def fix() -> None:
    create = StateMachine.create_from_cloudformation_json.__func__  # type: ignore[attr-defined]

    def create_with_substitutions(
        cls: type[StateMachine],
        resource_name: str,
        cloudformation_json: Any,
        *rest: Any,
        **named: Any,
    ) -> StateMachine:
        _substitute(cloudformation_json["Properties"])
        machine: StateMachine = create(cls, resource_name, cloudformation_json, *rest, **named)
        return machine

    models.stepfunctions_backends = stepfunctions_parser_backends  # type: ignore[assignment]
    StateMachine.create_from_cloudformation_json = classmethod(  # type: ignore[method-assign,assignment]
        create_with_substitutions
    )


def _substitute(properties: dict[str, Any]) -> None:
    for name, value in properties.get("DefinitionSubstitutions", {}).items():
        text = properties["DefinitionString"].replace(f"${{{name}}}", str(value))
        properties["DefinitionString"] = text
