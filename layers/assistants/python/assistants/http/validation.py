"""Validation of requests, with the messages, `param` and `code` of OpenAI's errors."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from assistants.domain.errors import InvalidRequestError
from assistants.domain.schema import Request

R = TypeVar("R", bound=Request)
Path = tuple[str | int, ...]

# By the type of pydantic's error: the JSON type that it expects.
_TYPES = {
    "string_type": "a string",
    "int_type": "an integer",
    "int_parsing": "an integer",
    "float_type": "a decimal",
    "bool_type": "a boolean",
    "list_type": "an array",
    "dict_type": "an object",
    "model_type": "an object",
    "model_attributes_type": "an object",
    "is_instance_of": "a file",
}
# By the type of pydantic's error: the limit in its context, OpenAI's code and message.
_LIMITS = {
    "string_too_long": ("max_length", "string_above_max_length", "string too long"),
    "string_too_short": ("min_length", "string_below_min_length", "string too short"),
    "too_long": ("max_length", "array_above_max_length", "array too long"),
    "too_short": ("min_length", "array_below_min_length", "array too short"),
    "less_than_equal": ("le", "{number}_above_max_value", "{number} above maximum value"),
    "greater_than_equal": ("ge", "{number}_below_min_value", "{number} below minimum value"),
}


def parse(schema: type[R], data: Any) -> R:
    """Parse a body. Raises `InvalidRequestError` that names one invalid parameter."""
    if not isinstance(data, dict):
        raise InvalidRequestError(
            f"Invalid type for request body: expected an object, but got {kind_of(data)} instead.",
            code="invalid_type",
        )
    try:
        return schema.model_validate(data)
    except ValidationError as error:
        raise refusal(error, data) from error


def parse_query(schema: type[R], query: Mapping[str, Sequence[str]]) -> R:
    """Parse a query. `name[]` is an element of a list, `name[key]` a member of an object; of other
    repeated names the last value counts. Raises `InvalidRequestError`.
    """
    data = _nested(query)
    try:
        return schema.model_validate(data, strict=False)
    except ValidationError as error:
        raise refusal(error, data) from error


def parse_form(schema: type[R], members: Mapping[str, Any]) -> R:
    """Parse the members of a form, where numbers are text. Raises `InvalidRequestError`."""
    try:
        return schema.model_validate(members, strict=False)
    except ValidationError as error:
        raise refusal(error, members) from error


def _nested(query: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for name, values in query.items():
        outer, bracket, inner = name.partition("[")
        inner = inner.removesuffix("]")
        if not bracket:
            data[name] = values[-1]
        elif inner:
            known = data.get(outer)
            data[outer] = {**(known if isinstance(known, dict) else {}), inner: values[-1]}
        else:
            data[outer] = list(values)
    return data


def refusal(error: ValidationError, data: Any) -> InvalidRequestError:
    """Return the deepest error in the body: of a union, the branch that the client meant."""
    found = [(path_of(details, data), details) for details in error.errors()]
    path, _ = max(found, key=lambda one: len(one[0]))
    param = render(path)
    code, message = _explain(param, [details for where, details in found if where == path])
    return InvalidRequestError(message, param=param, code=code)


def path_of(details: ErrorDetails, data: Any) -> Path:
    """Return the path in the body, which is part of pydantic's location; the rest is schemas."""
    path: list[str | int] = []
    for number, step in enumerate(details["loc"], 1):
        missing = details["type"] == "missing" and number == len(details["loc"])
        if isinstance(data, dict) and isinstance(step, str) and (step in data or missing):
            path.append(step)
            data = data.get(step)
        elif isinstance(data, list) and isinstance(step, int):
            path.append(step)
            data = data[step]
    return (*path, "type") if details["type"].startswith("union_tag") else tuple(path)


def render(path: Path) -> str:
    """Return a path as `tools[0].function.name`."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def kind_of(value: Any) -> str:
    """Return the type of a JSON value with its article."""
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


def _explain(param: str, alternatives: list[ErrorDetails]) -> tuple[str, str]:
    """Return code and message. Prefer the alternatives of a union that have the value's type."""
    meant = [details for details in alternatives if _expected(details) is None]
    if not meant:
        return "invalid_type", _wrong_type(param, alternatives)
    details = meant[0]
    kind, context = details["type"], details.get("ctx", {})
    if kind in _LIMITS:
        return _beyond_limit(param, details)
    match kind:
        case "missing" | "union_tag_not_found":
            return "missing_required_parameter", f"Missing required parameter: '{param}'."
        case "extra_forbidden":
            return "unknown_parameter", f"Unknown parameter: '{param}'."
        case "literal_error" | "union_tag_invalid":
            value = context.get("tag", details["input"])
            values = _enumerated(context.get("expected_tags") or context["expected"])
            return "invalid_value", f"Invalid value: '{value}'. Supported values are: {values}."
        case "string_pattern_mismatch":
            expected = f"Expected a string that matches the pattern '{context['pattern']}'."
            return "invalid_value", f"Invalid '{param}': string does not match pattern. {expected}"
        case _:
            reason = details["msg"].removeprefix("Value error, ")
            return "invalid_value", f"Invalid '{param}': {reason}."


def _expected(details: ErrorDetails) -> str | None:
    """Return the expected type if the value has another one."""
    if details["type"] == "literal_error" and not isinstance(details["input"], str):
        return "a string"
    return _TYPES.get(details["type"])


def _wrong_type(param: str, alternatives: list[ErrorDetails]) -> str:
    names = list(dict.fromkeys(filter(None, map(_expected, alternatives))))
    expected = names[0] if len(names) == 1 else f"one of {' or '.join(names)}"
    got = kind_of(alternatives[0]["input"])
    return f"Invalid type for '{param}': expected {expected}, but got {got} instead."


def _enumerated(quoted: str) -> str:
    """Turn pydantic's `'a', 'b' or 'c'` into OpenAI's `'a', 'b', and 'c'`."""
    *others, last = re.findall(r"'[^']*'", quoted)
    return f"{', '.join(others)}, and {last}" if len(others) > 1 else " and ".join([*others, last])


def _beyond_limit(param: str, details: ErrorDetails) -> tuple[str, str]:
    bound, code, problem = _LIMITS[details["type"]]
    limit, value = details["ctx"][bound], details["input"]
    if isinstance(value, dict):
        return "object_above_max_properties", (
            f"Invalid '{param}': too many properties. Expected an object with at most {limit} "
            f"properties, but got an object with {len(value)} properties instead."
        )
    if bound in ("le", "ge"):
        number = "decimal" if isinstance(limit, float) else "integer"
        relation = "<=" if bound == "le" else ">="
        return code.format(number=number), (
            f"Invalid '{param}': {problem.format(number=number)}. Expected a value {relation} "
            f"{limit:g}, but got {value} instead."
        )
    kind, extreme = kind_of(value), "maximum" if bound == "max_length" else "minimum"
    return code, (
        f"Invalid '{param}': {problem}. Expected {kind} with {extreme} length {limit}, but got "
        f"{kind} with length {len(value)} instead."
    )
