"""CloudFormation parses each template as YAML, which takes half a second for the CDK's JSON."""

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
    """Return the content of the template."""
    try:
        return json.loads(template)
    except ValueError:
        return yaml.load(template, Loader=Loader)  # noqa: S506
