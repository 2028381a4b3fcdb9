"""From what a schema refuses to the original's words: status, message, `param` and `code`."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from assistants.domain.errors import InvalidRequest
from assistants.domain.schema import Request

R = TypeVar("R", bound=Request)
Path = tuple[str | int, ...]


def parse(schema: type[R], data: Any) -> R:
    """A body. Raises `InvalidRequest` that names the first parameter that is wrong."""
    if not isinstance(data, dict):
        raise InvalidRequest(
            f"Invalid type for request body: expected an object, but got {kind_of(data)} instead.",
            code="invalid_type",
        )
    try:
        return schema.model_validate(data)
    except ValidationError as error:
        raise refusal(error, data) from error


def parse_query(schema: type[R], query: Mapping[str, Sequence[str]]) -> R:
    """Query members, where a number is a string of digits and only the last of several counts."""
    data = {name: values[-1] for name, values in query.items()}
    try:
        return schema.model_validate(data, strict=False)
    except ValidationError as error:
        raise refusal(error, data) from error


def refusal(error: ValidationError, data: Any) -> InvalidRequest:
    """The error that lies deepest in the body: of a union, that is the branch that was meant."""
    found = [(path_of(details["loc"], data), details) for details in error.errors()]
    path, details = max(found, key=lambda one: len(one[0]))
    alternatives = [other for where, other in found if where == path]
    param = render(path)
    code, message = _explain(param, details, alternatives)
    return InvalidRequest(message, param=param, code=code)


def path_of(location: Path, data: Any) -> Path:
    """The part of pydantic's location that leads through the body; the rest names schemas."""
    path: list[str | int] = []
    for position, step in enumerate(location):
        last = position == len(location) - 1
        if isinstance(data, dict) and (step in data or last) and isinstance(step, str):
            path.append(step)
            data = data.get(step)
        elif isinstance(data, list) and isinstance(step, int):
            path.append(step)
            data = data[step]
    return tuple(path)


def render(path: Path) -> str:
    """`tools[0].function.name`"""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


_EXPECTED = {
    "string_type": "a string",
    "int_type": "an integer",
    "int_from_float": "an integer",
    "int_parsing": "an integer",
    "float_type": "a decimal",
    "float_parsing": "a decimal",
    "bool_type": "a boolean",
    "bool_parsing": "a boolean",
    "list_type": "an array",
    "dict_type": "an object",
    "model_type": "an object",
    "model_attributes_type": "an object",
}


def kind_of(value: Any) -> str:
    """A JSON value's type with its article."""
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int():
            return "an integer"
        case float():
            return "a decimal"
        case str():
            return "a string"
        case list():
            return "an array"
        case _:
            return "an object"


def _explain(
    param: str, details: ErrorDetails, alternatives: list[ErrorDetails]
) -> tuple[str, str]:
    kind, context = details["type"], details.get("ctx", {})
    if any(other["type"] in _EXPECTED for other in alternatives):
        return "invalid_type", _wrong_type(param, alternatives, details["input"])
    if kind in _LIMITS:
        code, template = _LIMITS[kind]
        value = details["input"]
        length = context.get("actual_length", len(value) if isinstance(value, str) else "")
        limit = next((context[name] for name in _BOUNDS if name in context), "")
        return code, template.format(param=param, limit=limit, length=length, value=value)
    match kind:
        case "missing" | "union_tag_not_found":
            missing = f"{param}.type" if kind == "union_tag_not_found" else param
            return "missing_required_parameter", f"Missing required parameter: '{missing}'."
        case "extra_forbidden":
            return "unknown_parameter", f"Unknown parameter: '{param}'."
        case "literal_error" | "union_tag_invalid":
            values = context.get("expected") or context.get("expected_tags") or ""
            value = context.get("tag", details["input"])
            return "invalid_value", f"Invalid value: '{value}'. Supported values are: {values}."
        case _:
            return "invalid_value", f"Invalid '{param}': {details['msg']}."


def _wrong_type(param: str, alternatives: list[ErrorDetails], value: Any) -> str:
    names = [_EXPECTED[other["type"]] for other in alternatives if other["type"] in _EXPECTED]
    unique = list(dict.fromkeys(names))
    expected = unique[0] if len(unique) == 1 else f"one of {' or '.join(unique)}"
    return f"Invalid type for '{param}': expected {expected}, but got {kind_of(value)} instead."


_BOUNDS = ("max_length", "min_length", "le", "ge", "lt", "gt")
_LIMITS = {
    "string_too_long": (
        "string_above_max_length",
        "Invalid '{param}': string too long. Expected a string with maximum length {limit}, but "
        "got a string with length {length} instead.",
    ),
    "string_too_short": (
        "string_below_min_length",
        "Invalid '{param}': string too short. Expected a string with minimum length {limit}, but "
        "got a string with length {length} instead.",
    ),
    "too_long": (
        "array_above_max_length",
        "Invalid '{param}': array too long. Expected an array with maximum length {limit}, but "
        "got an array with length {length} instead.",
    ),
    "too_short": (
        "array_below_min_length",
        "Invalid '{param}': array too short. Expected an array with minimum length {limit}, but "
        "got an array with length {length} instead.",
    ),
    "less_than_equal": (
        "integer_above_max_value",
        "Invalid '{param}': integer above maximum value. Expected a value <= {limit}, but got "
        "{value} instead.",
    ),
    "greater_than_equal": (
        "integer_below_min_value",
        "Invalid '{param}': integer below minimum value. Expected a value >= {limit}, but got "
        "{value} instead.",
    ),
}
