"""Check stack parameters as CloudFormation does before it deploys; moto accepts any value."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from infra.local.assembly import StackTemplate


class InvalidParameterError(Exception):
    """Raised when no template has a parameter, or its template does not allow the value."""


def distribute(
    stacks: Sequence[StackTemplate], parameters: Mapping[str, str]
) -> dict[str, dict[str, str]]:
    """Return the parameters of each stack, by its name. Raises `InvalidParameterError`."""
    declared = {stack.name: stack.template.get("Parameters", {}) for stack in stacks}
    for name, value in parameters.items():
        declarations = [names[name] for names in declared.values() if name in names]
        if not declarations:
            raise InvalidParameterError(f"No template has a parameter {name}.")
        for declaration in declarations:
            for reason in _violations(declaration, value):
                raise InvalidParameterError(f"Parameter {name} is {value!r}: {reason}.")
    return {
        stack: {name: value for name, value in parameters.items() if name in names}
        for stack, names in declared.items()
    }


def _violations(declaration: Mapping[str, Any], value: str) -> Iterator[str]:
    allowed = declaration.get("AllowedValues")
    if allowed and value not in map(str, allowed):
        yield f"it must be one of {', '.join(map(str, allowed))}"
    pattern = declaration.get("AllowedPattern")
    each = value.split(",") if declaration["Type"] == "CommaDelimitedList" else [value]
    if pattern and not all(re.fullmatch(pattern, one) for one in each):
        yield f"it must match {pattern}"
    if declaration["Type"] == "Number":
        yield from _range_violations(declaration, value)


def _range_violations(declaration: Mapping[str, Any], value: str) -> Iterator[str]:
    try:
        number = float(value)
    except ValueError:
        yield "it must be a number"
        return
    if number < float(declaration.get("MinValue", number)):
        yield f"it must be at least {declaration['MinValue']}"
    if number > float(declaration.get("MaxValue", number)):
        yield f"it must be at most {declaration['MaxValue']}"
