"""The built-in model shows how things work, the same way every time."""

import json
from typing import Any

import pytest

from assistants.adapters.models.demo import INTRODUCTION, DemoModel
from assistants.domain.hosted_tools.code_interpreter import CodeInterpreterTool
from assistants.domain.hosted_tools.file_search import FileSearchTool
from assistants.domain.tool import offered
from assistants.ports.chat_model import FinishDelta, ModelRequest, TextDelta, ToolCallDelta
from tests.support.deployment import Deployment


def function(name: str, **parameters: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "parameters": parameters}}


CODE = CodeInterpreterTool(type="code_interpreter")
SEARCH = FileSearchTool(type="file_search")
WEATHER = function(
    "get_weather",
    type="object",
    properties={"city": {"type": "string"}, "unit": {"enum": ["celsius", "kelvin"]}},
)


def answer(text: Any, *tools: dict[str, Any], **options: Any) -> list[Any]:
    messages = [{"role": "user", "content": text}]
    return list(DemoModel().stream(ModelRequest("demo", messages, list(tools), options)))


def said(deltas: list[Any]) -> str:
    return "".join(delta.value for delta in deltas if isinstance(delta, TextDelta))


def called(deltas: list[Any]) -> dict[str, str]:
    """Return the functions that were called, with their arguments."""
    names: dict[int | None, str] = {}
    arguments: dict[str, str] = {}
    for delta in deltas:
        if isinstance(delta, ToolCallDelta):
            if delta.name:
                names[delta.index] = delta.name
                arguments[delta.name] = ""
            arguments[names[delta.index]] += delta.arguments
    return arguments


def test_it_says_what_it_is_and_what_it_read_word_by_word() -> None:
    deltas = answer("Good  morning!\n")
    assert said(deltas) == f"{INTRODUCTION}You said: Good  morning!"
    assert len(deltas) > 20
    assert answer("Good  morning!\n") == deltas


def test_it_counts_words_for_tokens() -> None:
    *words, last = answer("one two three")
    assert isinstance(last, FinishDelta)
    assert last.usage is not None
    assert (last.reason, last.usage.prompt_tokens, last.usage.completion_tokens) == (
        "stop",
        3,
        len(words),
    )
    assert last.usage.total_tokens == 3 + len(words)


def test_it_calls_a_function_that_is_named_with_arguments_that_fit() -> None:
    deltas = answer("Please use get_weather now.", WEATHER, function("other"))
    assert {name: json.loads(text) for name, text in called(deltas).items()} == {
        "get_weather": {"city": "example", "unit": "celsius"}
    }
    assert deltas[-1].reason == "tool_calls"


@pytest.mark.parametrize(
    ("text", "options", "names"),
    [
        ("Hello", {}, []),
        ("forget_weathers", {}, []),
        ("get_weather and time-zone!", {}, ["get_weather", "time-zone"]),
        ("get_weather and time-zone!", {"parallel_tool_calls": False}, ["get_weather"]),
        ("get_weather", {"tool_choice": "none"}, []),
        ("Hello", {"tool_choice": "required"}, ["get_weather"]),
        ("time-zone", {"tool_choice": "required"}, ["time-zone"]),
        (
            "Hello",
            {"tool_choice": {"type": "function", "function": {"name": "time-zone"}}},
            ["time-zone"],
        ),
    ],
)
def test_it_calls_what_is_named_or_demanded(
    text: str, options: dict[str, Any], names: list[str]
) -> None:
    assert list(called(answer(text, WEATHER, function("time-zone"), **options))) == names


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({}, {}),
        ({"type": "object"}, {}),
        ({"type": ["integer", "null"]}, 1),
        ({"type": "null"}, None),
        ({"enum": []}, {}),
        ({"type": []}, {}),
        ({"anyOf": [{"type": "string"}]}, {}),
        ({"properties": []}, {}),
        ({"properties": {"a": True}}, {"a": None}),
        ({"type": "array", "items": {}}, []),
        ({"type": "number"}, 1.5),
        ({"type": "boolean"}, True),
        ({"type": "date"}, None),
    ],
)
def test_it_makes_something_of_every_schema(schema: dict[str, Any], value: Any) -> None:
    deltas = answer("f", function("f", **schema))
    assert json.loads(called(deltas)["f"]) == value


def test_it_repeats_what_the_functions_answered() -> None:
    messages: list[dict[str, Any]] = [
        {"role": "user", "content": "get_weather"},
        {"role": "assistant", "content": None, "tool_calls": []},
        {"role": "tool", "tool_call_id": "a", "content": "sunny"},
        {"role": "tool", "tool_call_id": "b", "content": "warm"},
    ]
    request = ModelRequest("demo", messages, [WEATHER], {"tool_choice": "required"})
    text = said(list(DemoModel().stream(request)))
    assert text == "The functions answered: sunny; warm. (Said by the demo model.)"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Run\n```python\nprint(1)\n```\nplease", "print(1)\n"),
        ("What is 12 * (3 + 4)?", "12 * (3 + 4)"),
        ("Is 2**10 - 1 prime?", "2**10 - 1"),
        ("Since 2024-01-05 I have had 7 (seven) cats.", None),
        ("Hello", None),
    ],
)
def test_it_has_code_executed_that_it_is_given(text: str, code: str | None) -> None:
    expected = {"code_interpreter": json.dumps({"code": code})} if code else {}
    assert called(answer(text, *offered([CODE]))) == expected


def test_it_has_some_code_where_it_must_call() -> None:
    assert called(answer("Hello", *offered([CODE]), tool_choice="required")) == {
        "code_interpreter": json.dumps({"code": "print('Hello')"})
    }


def test_it_searches_for_what_it_is_asked() -> None:
    assert called(answer("Where is the cat?", *offered([SEARCH]))) == {
        "file_search": json.dumps({"queries": ["Where is the cat?"]})
    }
    assert called(answer("?!", *offered([SEARCH]))) == {}


def test_it_repeats_what_was_found_with_the_markers_and_what_code_has_printed() -> None:
    found = "【0:0†a b.txt】\npage 1\nA cat.\n\n【0:1†c】\nA dog.\n\n【0:2†c】\nA bird."
    messages: list[dict[str, Any]] = [
        {"role": "user", "content": "1+1?"},
        {"role": "assistant", "tool_calls": [call("x", "file_search"), call("y", CODE.type)]},
        {"role": "tool", "tool_call_id": "x", "content": found},
        {"role": "tool", "tool_call_id": "y", "content": "2"},
    ]
    assert said(list(DemoModel().stream(ModelRequest("demo", messages)))) == (
        "In your files I found: “page 1 A cat.” 【0:0†a b.txt】; “A dog.” 【0:1†c】. "
        "The code answered: 2. (Said by the demo model.)"
    )


def test_it_says_so_when_nothing_was_found() -> None:
    messages: list[dict[str, Any]] = [
        {"role": "assistant", "tool_calls": [call("x", "file_search")]},
        {"role": "tool", "tool_call_id": "x", "content": "No passage was found."},
    ]
    text = said(list(DemoModel().stream(ModelRequest("demo", messages))))
    assert text.startswith("In your files I found: nothing.")


def call(identifier: str, name: str) -> dict[str, Any]:
    return {"id": identifier, "type": "function", "function": {"name": name, "arguments": ""}}


def test_it_reads_the_text_of_parts() -> None:
    parts = [
        {"type": "text", "text": "What is"},
        {"type": "image_url", "image_url": {"url": "u"}},
        {"type": "text", "text": "this?"},
    ]
    assert said(answer(parts)).endswith("You said: What is this?")


def test_an_empty_thread_is_no_problem() -> None:
    deltas = list(DemoModel().stream(ModelRequest("demo", [])))
    assert said(deltas).startswith(INTRODUCTION.strip()[:20])


def test_a_conversation_with_it_runs_to_the_end() -> None:
    deployment = Deployment()
    object.__setattr__(deployment.backend.ports, "model", DemoModel())
    assistant_id = deployment.assistant(tools=[WEATHER])
    run = deployment.run(deployment.thread("Use get_weather."), assistant_id=assistant_id)
    assert run["status"] == "requires_action"
    deployment.submit(run)
    [message] = deployment.messages(deployment.again(run))
    assert message["content"][0]["text"]["value"].startswith("The functions answered: sunny")


@pytest.mark.parametrize(
    ("response_format", "expected"),
    [
        ({"type": "json_object"}, ["answer"]),
        (
            {
                "type": "json_schema",
                "json_schema": {
                    "name": "weather",
                    "schema": {"type": "object", "properties": {"city": {"type": "string"}}},
                },
            },
            ["city"],
        ),
    ],
)
def test_it_answers_in_the_format_that_it_is_asked_for(
    response_format: dict[str, Any], expected: list[str]
) -> None:
    request = ModelRequest(
        model="demo",
        messages=[{"role": "user", "content": "Hello"}],
        options={"response_format": response_format},
    )
    said = "".join(
        delta.value for delta in DemoModel().stream(request) if isinstance(delta, TextDelta)
    )
    assert list(json.loads(said)) == expected
