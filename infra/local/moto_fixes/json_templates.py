"""CloudFormation reads each template as YAML; for the CDK's JSON that takes half a second."""

import json
from types import SimpleNamespace
from typing import Any

import yaml  # type: ignore[import-untyped]
from moto.cloudformation import models, responses


def fix() -> None:
    json_first = SimpleNamespace(**vars(yaml))
    json_first.load = load
    for module in (models, responses):
        module.yaml = json_first  # type: ignore[attr-defined]


def load(template: str, Loader: Any) -> Any:
    """The template's content."""
    try:
        return json.loads(template)
    except ValueError:
        return yaml.load(template, Loader=Loader)  # noqa: S506
