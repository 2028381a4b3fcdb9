"""Every way in which a request can be wrong, in the words of the original API."""

from typing import Any

import pytest
from pydantic import BaseModel

from assistants.domain.assistant import AssistantCreate, AssistantModify
from assistants.domain.attributes import Attributes
from assistants.domain.errors import InvalidRequestError
from assistants.domain.message import MessageCreate
from assistants.domain.page import Cursor
from assistants.domain.run import RunCreate, ToolOutputsSubmit
from assistants.domain.schema import Request
from assistants.domain.thread import ThreadCreate
from assistants.http.validation import parse, parse_query


def refused(schema: type[Request], body: Any) -> tuple[str | None, str | None, str]:
    with pytest.raises(InvalidRequestError) as caught:
        parse(schema, body)
    assert caught.value.status == 400
    assert caught.value.type == "invalid_request_error"
    return caught.value.param, caught.value.code, caught.value.message


def tool(**function: Any) -> dict[str, Any]:
    return {"tools": [{"type": "function", "function": function}]}


ASSISTANTS: list[tuple[dict[str, Any], str, str, str]] = [
    (
        {"model": None},
        "model",
        "invalid_type",
        "Invalid type for 'model': expected a string, but got null instead.",
    ),
    (
        {"name": 5},
        "name",
        "invalid_type",
        "Invalid type for 'name': expected a string, but got an integer instead.",
    ),
    (
        {"name": "x" * 257},
        "name",
        "string_above_max_length",
        "Invalid 'name': string too long. Expected a string with maximum length 256, but got a "
        "string with length 257 instead.",
    ),
    (
        {"model": ""},
        "model",
        "string_below_min_length",
        "Invalid 'model': string too short. Expected a string with minimum length 1, but got a "
        "string with length 0 instead.",
    ),
    ({"nmae": "x"}, "nmae", "unknown_parameter", "Unknown parameter: 'nmae'."),
    (
        {"temperature": "warm"},
        "temperature",
        "invalid_type",
        "Invalid type for 'temperature': expected a decimal, but got a string instead.",
    ),
    (
        {"temperature": True},
        "temperature",
        "invalid_type",
        "Invalid type for 'temperature': expected a decimal, but got a boolean instead.",
    ),
    (
        {"temperature": 3},
        "temperature",
        "decimal_above_max_value",
        "Invalid 'temperature': decimal above maximum value. Expected a value <= 2, but got 3 "
        "instead.",
    ),
    (
        {"top_p": -0.5},
        "top_p",
        "decimal_below_min_value",
        "Invalid 'top_p': decimal below minimum value. Expected a value >= 0, but got -0.5 "
        "instead.",
    ),
    (
        {"metadata": {"a": 1}},
        "metadata.a",
        "invalid_type",
        "Invalid type for 'metadata.a': expected a string, but got an integer instead.",
    ),
    (
        {"metadata": {"a": "x" * 513}},
        "metadata.a",
        "string_above_max_length",
        "Invalid 'metadata.a': string too long. Expected a string with maximum length 512, but "
        "got a string with length 513 instead.",
    ),
    (
        {"metadata": {"k" * 65: "x"}},
        "metadata." + "k" * 65,
        "string_above_max_length",
        f"Invalid 'metadata.{'k' * 65}': string too long. Expected a string with maximum length "
        "64, but got a string with length 65 instead.",
    ),
    (
        {"metadata": {str(n): "x" for n in range(17)}},
        "metadata",
        "object_above_max_properties",
        "Invalid 'metadata': too many properties. Expected an object with at most 16 properties, "
        "but got an object with 17 properties instead.",
    ),
    (
        {"metadata": ["a"]},
        "metadata",
        "invalid_type",
        "Invalid type for 'metadata': expected an object, but got an array instead.",
    ),
    (
        {"tools": {}},
        "tools",
        "invalid_type",
        "Invalid type for 'tools': expected an array, but got an object instead.",
    ),
    (
        {"tools": [{"type": "code_interpreter"}] * 129},
        "tools",
        "array_above_max_length",
        "Invalid 'tools': array too long. Expected an array with maximum length 128, but got an "
        "array with length 129 instead.",
    ),
    (
        {"tools": ["function"]},
        "tools[0]",
        "invalid_type",
        "Invalid type for 'tools[0]': expected an object, but got a string instead.",
    ),
    (
        {"tools": [{}]},
        "tools[0].type",
        "missing_required_parameter",
        "Missing required parameter: 'tools[0].type'.",
    ),
    (
        {"tools": [{"type": "retrieval"}]},
        "tools[0].type",
        "invalid_value",
        "Invalid value: 'retrieval'. Supported values are: 'code_interpreter', 'file_search', "
        "and 'function'.",
    ),
    (
        {"tools": [{"type": "code_interpreter"}, {"type": "function"}]},
        "tools[1].function",
        "missing_required_parameter",
        "Missing required parameter: 'tools[1].function'.",
    ),
    (
        tool(description="nameless"),
        "tools[0].function.name",
        "missing_required_parameter",
        "Missing required parameter: 'tools[0].function.name'.",
    ),
    (
        tool(name="get weather"),
        "tools[0].function.name",
        "invalid_value",
        "Invalid 'tools[0].function.name': string does not match pattern. Expected a string that "
        "matches the pattern '^[A-Za-z0-9_-]+$'.",
    ),
    (
        tool(name="x" * 65),
        "tools[0].function.name",
        "string_above_max_length",
        "Invalid 'tools[0].function.name': string too long. Expected a string with maximum length "
        "64, but got a string with length 65 instead.",
    ),
    (
        tool(name="f", parameters="{}"),
        "tools[0].function.parameters",
        "invalid_type",
        "Invalid type for 'tools[0].function.parameters': expected an object, but got a string "
        "instead.",
    ),
    (
        tool(name="f", args={}),
        "tools[0].function.args",
        "unknown_parameter",
        "Unknown parameter: 'tools[0].function.args'.",
    ),
    (
        {"tools": [{"type": "file_search", "file_search": {"max_num_results": 51}}]},
        "tools[0].file_search.max_num_results",
        "integer_above_max_value",
        "Invalid 'tools[0].file_search.max_num_results': integer above maximum value. Expected a "
        "value <= 50, but got 51 instead.",
    ),
    (
        {"reasoning_effort": "maximal"},
        "reasoning_effort",
        "invalid_value",
        "Invalid value: 'maximal'. Supported values are: 'none', 'minimal', 'low', 'medium', "
        "'high', 'xhigh', and 'max'.",
    ),
    (
        {"response_format": "json"},
        "response_format",
        "invalid_value",
        "Invalid value: 'json'. Supported values are: 'auto'.",
    ),
    (
        {"response_format": 5},
        "response_format",
        "invalid_type",
        "Invalid type for 'response_format': expected one of a string or an object, but got an "
        "integer instead.",
    ),
    (
        {"response_format": {}},
        "response_format.type",
        "missing_required_parameter",
        "Missing required parameter: 'response_format.type'.",
    ),
    (
        {"response_format": {"type": "xml"}},
        "response_format.type",
        "invalid_value",
        "Invalid value: 'xml'. Supported values are: 'text', 'json_object', and 'json_schema'.",
    ),
    (
        {"response_format": {"type": "json_schema", "json_schema": {}}},
        "response_format.json_schema.name",
        "missing_required_parameter",
        "Missing required parameter: 'response_format.json_schema.name'.",
    ),
]


@pytest.mark.parametrize(("members", "param", "code", "message"), ASSISTANTS)
def test_a_wrong_member_of_an_assistant_is_named_by_path_code_and_message(
    members: dict[str, Any], param: str, code: str, message: str
) -> None:
    assert refused(AssistantCreate, {"model": "demo"} | members) == (param, code, message)


def test_a_missing_member_is_named() -> None:
    assert refused(AssistantCreate, {}) == (
        "model",
        "missing_required_parameter",
        "Missing required parameter: 'model'.",
    )


MESSAGES: list[tuple[dict[str, Any], str, str, str]] = [
    (
        {"role": "system"},
        "role",
        "invalid_value",
        "Invalid value: 'system'. Supported values are: 'user' and 'assistant'.",
    ),
    (
        {"role": 1},
        "role",
        "invalid_type",
        "Invalid type for 'role': expected a string, but got an integer instead.",
    ),
    (
        {"content": 5},
        "content",
        "invalid_type",
        "Invalid type for 'content': expected one of a string or an array, but got an integer "
        "instead.",
    ),
    (
        {"content": []},
        "content",
        "array_below_min_length",
        "Invalid 'content': array too short. Expected an array with minimum length 1, but got an "
        "array with length 0 instead.",
    ),
    (
        {"content": ["text"]},
        "content[0]",
        "invalid_type",
        "Invalid type for 'content[0]': expected an object, but got a string instead.",
    ),
    (
        {"content": [{"type": "text", "text": {"value": "x"}}]},
        "content[0].text",
        "invalid_type",
        "Invalid type for 'content[0].text': expected a string, but got an object instead.",
    ),
    (
        {"content": [{"type": "text", "text": "x"}, {"type": "text"}]},
        "content[1].text",
        "missing_required_parameter",
        "Missing required parameter: 'content[1].text'.",
    ),
    (
        {"content": [{"type": "image_url", "image_url": {"url": "http://x/u", "detail": "best"}}]},
        "content[0].image_url.detail",
        "invalid_value",
        "Invalid value: 'best'. Supported values are: 'auto', 'low', and 'high'.",
    ),
    (
        {"attachments": [{"file_id": "file-a", "tools": [{"type": "function"}]}]},
        "attachments[0].tools[0].type",
        "invalid_value",
        "Invalid value: 'function'. Supported values are: 'code_interpreter' and 'file_search'.",
    ),
]


@pytest.mark.parametrize(("members", "param", "code", "message"), MESSAGES)
def test_a_wrong_member_of_a_message_is_named_by_path_code_and_message(
    members: dict[str, Any], param: str, code: str, message: str
) -> None:
    body = {"role": "user", "content": "Hello"} | members
    assert refused(MessageCreate, body) == (param, code, message)
    nested = f"messages[0].{param}"
    in_a_thread = refused(ThreadCreate, {"messages": [body]})
    assert in_a_thread == (nested, code, message.replace(f"'{param}'", f"'{nested}'"))


RUNS: list[tuple[dict[str, Any], str, str, str]] = [
    (
        {"max_prompt_tokens": 255},
        "max_prompt_tokens",
        "integer_below_min_value",
        "Invalid 'max_prompt_tokens': integer below minimum value. Expected a value >= 256, but "
        "got 255 instead.",
    ),
    (
        {"max_completion_tokens": 256.5},
        "max_completion_tokens",
        "invalid_type",
        "Invalid type for 'max_completion_tokens': expected an integer, but got a decimal instead.",
    ),
    (
        {"stream": "yes"},
        "stream",
        "invalid_type",
        "Invalid type for 'stream': expected a boolean, but got a string instead.",
    ),
    (
        {"tool_choice": "always"},
        "tool_choice",
        "invalid_value",
        "Invalid value: 'always'. Supported values are: 'none', 'auto', and 'required'.",
    ),
    (
        {"tool_choice": 1},
        "tool_choice",
        "invalid_type",
        "Invalid type for 'tool_choice': expected one of a string or an object, but got an "
        "integer instead.",
    ),
    (
        {"tool_choice": {"type": "function", "function": {"name": "f", "x": 1}}},
        "tool_choice.function.x",
        "unknown_parameter",
        "Unknown parameter: 'tool_choice.function.x'.",
    ),
    (
        {"truncation_strategy": {"type": "last_messages", "last_messages": 0}},
        "truncation_strategy.last_messages",
        "integer_below_min_value",
        "Invalid 'truncation_strategy.last_messages': integer below minimum value. Expected a "
        "value >= 1, but got 0 instead.",
    ),
    (
        {"additional_messages": [{"role": "user"}]},
        "additional_messages[0].content",
        "missing_required_parameter",
        "Missing required parameter: 'additional_messages[0].content'.",
    ),
]


@pytest.mark.parametrize(("members", "param", "code", "message"), RUNS)
def test_a_wrong_member_of_a_run_is_named_by_path_code_and_message(
    members: dict[str, Any], param: str, code: str, message: str
) -> None:
    assert refused(RunCreate, {"assistant_id": "asst_a"} | members) == (param, code, message)


def test_null_is_the_same_as_absent_for_every_member_that_is_not_required() -> None:
    for schema, required in (
        (AssistantCreate, {"model": "demo"}),
        (AssistantModify, {}),
        (MessageCreate, {"role": "user", "content": "Hello"}),
        (ThreadCreate, {}),
        (RunCreate, {"assistant_id": "asst_a"}),
        (ToolOutputsSubmit, {"tool_outputs": []}),
    ):
        optional = {name: None for name in schema.model_fields if name not in required}
        parsed: BaseModel = parse(schema, required | optional)
        assert parsed.model_dump() == parse(schema, required).model_dump()


@pytest.mark.parametrize(
    ("body", "got"),
    [
        (None, "null"),
        ([], "an array"),
        ("{}", "a string"),
        (1, "an integer"),
        (0.5, "a decimal"),
        (False, "a boolean"),
    ],
)
def test_a_body_that_is_no_object_is_refused(body: Any, got: str) -> None:
    assert refused(ThreadCreate, body) == (
        None,
        "invalid_type",
        f"Invalid type for request body: expected an object, but got {got} instead.",
    )


def test_of_several_problems_the_deepest_is_reported() -> None:
    param, _, _ = refused(AssistantCreate, {"tools": [{"type": "function", "function": {}}]})
    assert param == "tools[0].function.name"


class _WithAttributes(Request):
    attributes: Attributes


def test_a_member_that_is_an_object_where_only_scalars_are_allowed_is_named_itself() -> None:
    param, code, message = refused(_WithAttributes, {"attributes": {"a": {"b": 1}}})
    assert (param, code) == ("attributes.a", "invalid_type")
    assert message.endswith("but got an object instead.")


def test_a_rule_of_our_own_is_reported_in_its_own_words() -> None:
    assert refused(_WithAttributes, {"attributes": {"a": 2**60}}) == (
        "attributes.a",
        "invalid_value",
        "Invalid 'attributes.a': integers beyond 2**53 are not exact in JSON: use a string.",
    )


QUERIES = [
    (
        "limit",
        "0",
        "integer_below_min_value",
        "Invalid 'limit': integer below minimum value. Expected a value >= 1, but got 0 instead.",
    ),
    (
        "limit",
        "101",
        "integer_above_max_value",
        "Invalid 'limit': integer above maximum value. Expected a value <= 100, but got 101 "
        "instead.",
    ),
    (
        "limit",
        "many",
        "invalid_type",
        "Invalid type for 'limit': expected an integer, but got a string instead.",
    ),
    (
        "order",
        "up",
        "invalid_value",
        "Invalid value: 'up'. Supported values are: 'asc' and 'desc'.",
    ),
    ("offset", "3", "unknown_parameter", "Unknown parameter: 'offset'."),
]


@pytest.mark.parametrize(("param", "value", "code", "message"), QUERIES)
def test_a_wrong_query_member_is_named(param: str, value: str, code: str, message: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        parse_query(Cursor, {param: [value]})
    error = caught.value
    assert (error.param, error.code, error.message) == (param, code, message)


def test_a_query_is_read_as_numbers_and_words_and_its_last_value_counts() -> None:
    cursor = parse_query(Cursor, {"limit": ["5", "7"], "order": ["asc"], "after": ["asst_a"]})
    assert cursor == Cursor(limit=7, order="asc", after="asst_a")
    assert parse_query(Cursor, {}) == Cursor(limit=20, order="desc")


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ({"limit": ["1"], "limit[x]": ["2"]}, "limit"),
        ({"limit[]": ["1"]}, "limit"),
        ({"limit[x]": ["1"], "limit[]": ["1"]}, "limit"),
        ({"[": ["1"]}, ""),
        ({"limit[": ["1"]}, "limit"),
        ({"after": ["a b"]}, "after"),
    ],
)
def test_brackets_in_a_query_that_lead_nowhere_are_refused(
    query: dict[str, list[str]], param: str
) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        parse_query(Cursor, query)
    assert caught.value.param == param


class _Filtered(Request):
    include: list[str] = []
    metadata: dict[str, str] = {}


def test_bracketed_query_members_are_lists_and_objects() -> None:
    query = {"include[]": ["a", "b"], "metadata[topic]": ["x", "y"], "metadata[kind]": ["z"]}
    assert parse_query(_Filtered, query) == _Filtered(
        include=["a", "b"], metadata={"topic": "y", "kind": "z"}
    )
