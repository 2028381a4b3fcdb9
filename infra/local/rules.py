"""Evaluate the Rules of a template, as CloudFormation does before it deploys; moto ignores them."""

from collections.abc import Iterator, Mapping
from typing import Any


def violations(template: Mapping[str, Any], values: Mapping[str, str]) -> Iterator[str]:
    """Yield the description of each assertion that fails; `values` answers each `Ref`."""
    for rule in template.get("Rules", {}).values():
        if holds(rule.get("RuleCondition", True), values):
            for assertion in rule["Assertions"]:
                if not holds(assertion["Assert"], values):
                    yield assertion["AssertDescription"]


def holds(expression: Any, values: Mapping[str, str]) -> bool:
    """Evaluate the functions that the templates use."""
    match expression:
        case bool():
            return expression
        case {"Fn::Not": [one]}:
            return not holds(one, values)
        case {"Fn::Equals": [left, right]}:
            return _value(left, values) == _value(right, values)
        case {"Fn::Contains": [choices, one]}:
            return _value(one, values) in choices
    raise ValueError(f"the local stack cannot evaluate {expression}")


def _value(one: Any, values: Mapping[str, str]) -> str:
    return values[one["Ref"]] if isinstance(one, dict) else str(one)
