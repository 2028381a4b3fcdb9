"""The adapter for OpenAI-compatible providers, over HTTP against the scripted one."""

from collections.abc import Iterator
from typing import Any

import pytest

from assistants.adapters.models import openai_compatible
from assistants.adapters.models.openai_compatible import OpenAICompatible
from assistants.domain.run import Usage
from assistants.ports.chat_model import (
    Delta,
    FinishDelta,
    ModelError,
    ModelRequest,
    RefusalDelta,
    TextDelta,
    ToolCallDelta,
)
from tests.support.model_server import (
    Break,
    Call,
    Calls,
    Garbage,
    HttpError,
    ModelServer,
    ScriptedModel,
    Turn,
    Wait,
)
from tests.support.model_server import Refusal as Refused
from tests.support.model_server import Text as Said

HELLO = [{"role": "user", "content": "Hello"}]


@pytest.fixture(scope="module")
def server() -> Iterator[ModelServer]:
    with ModelServer() as server:
        yield server


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, str | None]]:
    """What would have been waited for between two tries."""
    made: list[tuple[int, str | None]] = []

    def pause(attempt: int, retry_after: str | None = None) -> None:
        made.append((attempt, retry_after))

    monkeypatch.setattr(openai_compatible, "pause", pause)
    return made


def request(model: ScriptedModel, **members: Any) -> ModelRequest:
    return ModelRequest(model.name, HELLO, **members)


def adapter(server: ModelServer, *, key: str | None = None, timeout: float = 5) -> OpenAICompatible:
    return OpenAICompatible(server.url, lambda: key, timeout)


def asked(server: ModelServer, model: ScriptedModel, timeout: float = 5) -> list[Delta]:
    return list(adapter(server, timeout=timeout).stream(request(model)))


def failed(
    server: ModelServer, model: ScriptedModel, timeout: float = 5
) -> tuple[list[Delta], ModelError]:
    """Return the text before the failure, and the failure."""
    said: list[Delta] = []
    with pytest.raises(ModelError) as caught:
        said.extend(adapter(server, timeout=timeout).stream(request(model)))
    return said, caught.value


def raw(*lines: str) -> Turn:
    """Make an answer of these lines alone, without the server's own frames after them."""
    return Turn(Garbage("\n\n".join([*lines, ""]).encode()))


def test_text_comes_delta_by_delta_and_ends_with_its_usage(server: ModelServer) -> None:
    model = server.script(Turn(Said("Hello ", "world"), prompt_tokens=3, completion_tokens=2))
    assert asked(server, model) == [
        TextDelta("Hello "),
        TextDelta("world"),
        FinishDelta("stop"),
        FinishDelta(usage=Usage(prompt_tokens=3, completion_tokens=2, total_tokens=5)),
    ]


def test_a_refusal_is_distinct_from_text(server: ModelServer) -> None:
    deltas = asked(server, server.script(Refused("I ", "will not.")))
    assert deltas[:2] == [RefusalDelta("I "), RefusalDelta("will not.")]


def test_calls_come_with_id_name_and_arguments_in_pieces(server: ModelServer) -> None:
    calls = Calls(Call("weather", {"city": "Paris"}, id="a"), Call("time", {}, id="b"))
    deltas = asked(server, server.script(calls))
    fragments = [delta for delta in deltas if isinstance(delta, ToolCallDelta)]
    assert [(each.index, each.id, each.name) for each in fragments if each.id] == [
        (0, "a", "weather"),
        (1, "b", "time"),
    ]
    arguments = {0: "", 1: ""}
    for each in fragments:
        arguments[each.index or 0] += each.arguments
    assert arguments == {0: '{"city": "Paris"}', 1: "{}"}
    assert deltas[-2] == FinishDelta("tool_calls")


@pytest.mark.parametrize("reason", ["stop", "length", "content_filter", "tool_calls"])
def test_the_reason_of_the_end_is_passed_on(server: ModelServer, reason: Any) -> None:
    deltas = asked(server, server.script(Turn(Said("Hello"), finish=reason)))
    assert FinishDelta(reason) in deltas


def test_the_request_holds_what_is_asked_and_nothing_else(server: ModelServer) -> None:
    model = server.script(Said("Hi"), Said("Hi"))
    tools = [{"type": "function", "function": {"name": "f"}}]
    options = {"temperature": 0.5, "tool_choice": "auto"}
    list(adapter(server).stream(request(model)))
    list(adapter(server, key="sk-secret").stream(request(model, tools=tools, options=options)))
    plain, full = model.requests
    streamed = {"stream": True, "stream_options": {"include_usage": True}}
    assert plain.body == {"model": model.name, "messages": HELLO, **streamed}
    assert "authorization" not in plain.headers
    assert full.body == {**plain.body, **options, "tools": tools}
    assert full.headers["authorization"] == "Bearer sk-secret"


@pytest.mark.parametrize(
    "first",
    [HttpError(429), HttpError(500), HttpError(502), HttpError(503), HttpError(408), Break()],
)
def test_a_failure_before_the_first_byte_is_tried_again(
    server: ModelServer, first: Any, pauses: list[tuple[int, str | None]]
) -> None:
    model = server.script(first, first, Said("At last"))
    assert asked(server, model)[0] == TextDelta("At last")
    assert len(model.requests) == 3
    assert pauses == [(1, None), (2, None)]


@pytest.mark.parametrize(
    ("answer", "code", "message"),
    [
        (HttpError(429, "Slow down."), "rate_limit_exceeded", "Slow down."),
        (HttpError(500, "Oh no."), "server_error", "Oh no."),
        (HttpError(503, body=b"<html>"), "server_error", "The model answered with status 503."),
        (
            HttpError(503, body=b'{"error": 5}'),
            "server_error",
            "The model answered with status 503.",
        ),
        (HttpError(503, body=b"[]"), "server_error", "The model answered with status 503."),
        (Break(), "server_error", "The model cannot be reached."),
    ],
)
def test_a_failure_that_lasts_is_raised_after_three_tries(
    server: ModelServer, answer: Any, code: str, message: str, pauses: list[Any]
) -> None:
    model = server.script(*[answer] * 4)
    said, error = failed(server, model)
    assert (said, error.code, error.message) == ([], code, message)
    assert len(model.requests) == 3
    assert len(pauses) == 2


def test_what_the_provider_says_about_waiting_is_heeded(
    server: ModelServer, pauses: list[tuple[int, str | None]]
) -> None:
    asked(server, server.script(HttpError(429, headers={"Retry-After": "3"}), Said("Hi")))
    assert pauses == [(1, "3")]


@pytest.mark.parametrize(
    ("status", "code"), [(400, "invalid_prompt"), (404, "server_error"), (422, "server_error")]
)
def test_a_refusal_for_good_is_raised_at_once(
    server: ModelServer, status: int, code: str, pauses: list[Any]
) -> None:
    model = server.script(HttpError(status, "Not like this."))
    _, error = failed(server, model)
    assert (error.code, error.message) == (code, "Not like this.")
    assert len(model.requests) == 1
    assert pauses == []


@pytest.mark.parametrize("status", [401, 403])
def test_errors_do_not_show_the_key_of_the_deployment(server: ModelServer, status: int) -> None:
    model = server.script(HttpError(status, "Incorrect API key provided: sk-abcd."))
    _, error = failed(server, model)
    assert error.code == "server_error"
    assert "sk-" not in error.message


def test_a_provider_that_is_not_there_is_an_error(pauses: list[Any]) -> None:
    nowhere = OpenAICompatible("http://127.0.0.1:9/v1", lambda: None, 5)
    with pytest.raises(ModelError, match="cannot be reached"):
        list(nowhere.stream(ModelRequest("m", HELLO)))
    assert len(pauses) == 2


def test_a_connection_that_breaks_mid_answer_is_not_tried_again(server: ModelServer) -> None:
    model = server.script(Turn(Said("Hel"), Break()), Said("Never"))
    said, error = failed(server, model)
    assert said == [TextDelta("Hel")]
    assert (error.code, error.message) == ("server_error", "The model's answer broke off.")
    assert len(model.requests) == 1


def test_nothing_is_read_after_the_end(server: ModelServer) -> None:
    line = 'data: {"choices":[{"delta":{"content":"Hi"}}]}'
    assert asked(server, server.script(raw(line, "data: [DONE]", "data: {"))) == [TextDelta("Hi")]


def test_a_silent_model_is_given_up_and_not_asked_again(server: ModelServer) -> None:
    model = server.script(Turn(Wait()), Said("Never"))
    said, error = failed(server, model, timeout=0.05)
    assert (said, error.message) == ([], "The model fell silent.")
    assert len(model.requests) == 1


def test_a_model_that_falls_silent_is_given_up(server: ModelServer) -> None:
    said, error = failed(server, server.script(Turn(Said("Hel"), Wait())), timeout=0.05)
    assert said == [TextDelta("Hel")]
    assert (error.code, error.message) == ("server_error", "The model fell silent.")


@pytest.mark.parametrize(
    "garbage",
    [
        "{not json",
        "5",
        "null",
        "[]",
        '"text"',
        '{"choices": 5}',
        '{"choices": [5]}',
        '{"choices": [{"delta": 5}]}',
        '{"choices": [{"delta": {"content": ["text"]}}]}',
        '{"choices": [{"delta": {"content": "half \\ud83d"}}]}',
        '{"choices": [{"delta": {"tool_calls": [5]}}]}',
        '{"choices": [{"delta": {"tool_calls": [{"function": {"arguments": {}}}]}}]}',
        '{"usage": 5}',
        "\x00\x01",
    ],
)
def test_what_is_no_chunk_is_not_taken_for_one(server: ModelServer, garbage: str) -> None:
    model = server.script(Turn(Said("Hel"), Garbage(f"data: {garbage}\n\n".encode())))
    said, error = failed(server, model)
    assert said == [TextDelta("Hel")]
    assert (error.code, error.message) == ("server_error", "The model sent something unreadable.")


@pytest.mark.parametrize(
    ("problem", "message"),
    [
        ('{"message": "Out of memory."}', "Out of memory."),
        ('"Out of memory."', "Out of memory."),
        ('{"code": 5}', "The model reported an error."),
    ],
)
def test_an_error_in_the_stream_is_raised(server: ModelServer, problem: str, message: str) -> None:
    said, error = failed(server, server.script(raw(f'data: {{"error": {problem}}}')))
    assert (said, error.message) == ([], message)


@pytest.mark.parametrize(
    "line",
    [
        ": a comment",
        "event: ping",
        "",
        'data: {"choices": [], "usage": null}',
        'data: {"choices": [{"delta": null, "finish_reason": null}]}',
        'data: {"object": "something else"}',
        'data:{"choices":[{"delta":{"content":""}}]}',
        'data: {"choices": [{"delta": {"role": "assistant", "tool_calls": null}}]}',
    ],
)
def test_what_says_nothing_is_passed_over(server: ModelServer, line: str) -> None:
    model = server.script(Turn(Garbage(f"{line}\r\n\r\n".encode()), Said("Hi")))
    assert asked(server, model)[0] == TextDelta("Hi")


def test_a_call_without_a_number_has_its_place_in_the_list(server: ModelServer) -> None:
    calls = '[{"id":"a","function":{"name":"f"}},{"id":"b","function":{"name":"g"}}]'
    line = f'data: {{"choices":[{{"delta":{{"tool_calls":{calls}}},"finish_reason":"stop"}}]}}'
    assert asked(server, server.script(raw(line)))[:2] == [
        ToolCallDelta(0, id="a", name="f"),
        ToolCallDelta(1, id="b", name="g"),
    ]


def test_usage_that_is_counted_in_part_is_taken_in_part(server: ModelServer) -> None:
    line = 'data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":null}}'
    deltas = asked(server, server.script(Turn(Garbage(f"{line}\n\n".encode()), Said("Hi"))))
    assert deltas[0] == FinishDelta(usage=Usage(prompt_tokens=3, total_tokens=3))


def test_a_line_without_an_end_is_given_up(
    server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openai_compatible, "_MAX_LINE_BYTES", 1000)
    said, error = failed(server, server.script(Turn(Garbage(b"data: " + b"x" * 2000), Wait())))
    assert (said, error.message) == ([], "The model sent a line without an end.")


def test_characters_may_be_cut_between_two_reads(server: ModelServer) -> None:
    content = 'data: {"choices":[{"delta":{"content":"Zürich 🙂"}}]}\n\n'.encode()
    parts = [Garbage(content[start : start + 7]) for start in range(0, len(content), 7)]
    assert asked(server, server.script(Turn(*parts)))[0] == TextDelta("Zürich 🙂")
