"""A synthesized template as tests read it, and an application for a construct of their own."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aws_cdk import App

from infra.app import context_defaults

Properties = Mapping[str, Any]


@dataclass(frozen=True)
class Template:
    """CloudFormation's JSON, with the questions that several tests ask of it."""

    text: str
    body: Mapping[str, Any]

    @classmethod
    def read(cls, path: Path) -> "Template":
        text = path.read_text()
        return cls(text, json.loads(text))

    @property
    def resources(self) -> Mapping[str, Any]:
        return dict(self.body["Resources"])

    def of_type(self, kind: str) -> Mapping[str, Properties]:
        """Return the properties of resources by logical id; `kind` is what follows `AWS::`."""
        return {
            id: resource.get("Properties", {})
            for id, resource in self.resources.items()
            if resource["Type"] == f"AWS::{kind}"
        }

    def only(self, kind: str) -> Properties:
        """Return the properties of the one resource of its type."""
        (properties,) = self.of_type(kind).values()
        return properties

    def statements(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Yield the statements of all policies, each with the role that has it."""
        for policy in self.of_type("IAM::Policy").values():
            for role in policy["Roles"]:
                for statement in policy["PolicyDocument"]["Statement"]:
                    yield role["Ref"], statement

    def actions(self, role: str) -> set[object]:
        """Return all actions that the policies of a role name."""
        statements = [statement for owner, statement in self.statements() if owner == role]
        return {action for statement in statements for action in listed(statement["Action"])}

    def role_of(self, function: str) -> str:
        return str(self.of_type("Lambda::Function")[function]["Role"]["Fn::GetAtt"][0])


def listed(value: object) -> list[Any]:
    """Make a list of a member that CloudFormation takes as one value, too."""
    return value if isinstance(value, list) else [value]


def app_with(outdir: str | None = None, /, **context: Any) -> App:
    """Make an application whose context differs from cdk.json, and which builds no assets."""
    context = {**context_defaults(), "aws:cdk:bundling-stacks": [], **context}
    return App(outdir=outdir, context=context, builtin_cloud_formation_validation=False)
