"""The scripted provider speaks the protocol as OpenAI's own client expects it."""

import json
import time
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from openai import OpenAI

from tests.support.model_server import (
    Break,
    Call,
    Calls,
    Garbage,
    HttpError,
    ModelServer,
    Pause,
    Refusal,
    ScriptedModel,
    Text,
    Turn,
    Wait,
)


@pytest.fixture(scope="module")
def server() -> Iterator[ModelServer]:
    with ModelServer() as server:
        yield server


@pytest.fixture(scope="module")
def client(server: ModelServer) -> Iterator[OpenAI]:
    with OpenAI(base_url=server.url, api_key="any", max_retries=0) as client:
        yield client


def stream(client: OpenAI, model: ScriptedModel) -> list[Any]:
    return list(
        client.chat.completions.create(
            model=model.name,
            messages=[{"role": "user", "content": "Hello"}],
            stream=True,
            stream_options={"include_usage": True},
        )
    )


def test_text_streams_fragment_by_fragment_and_ends_with_usage(
    server: ModelServer, client: OpenAI
) -> None:
    model = server.script(Turn(Text("Hello ", "world"), prompt_tokens=3, completion_tokens=2))
    *chunks, last = stream(client, model)
    assert [chunk.choices[0].delta.content for chunk in chunks] == ["", "Hello ", "world", None]
    assert [chunk.choices[0].finish_reason for chunk in chunks] == [None, None, None, "stop"]
    assert last.choices == []
    assert last.usage.total_tokens == 5
    assert model.requests[0].body["messages"] == [{"role": "user", "content": "Hello"}]
    assert model.requests[0].headers["authorization"] == "Bearer any"


def test_usage_is_streamed_only_on_request(server: ModelServer, client: OpenAI) -> None:
    model = server.script(Text("Hi"))
    chunks = list(client.chat.completions.create(model=model.name, messages=[], stream=True))
    assert all(chunk.usage is None and chunk.choices for chunk in chunks)


def test_parallel_calls_stream_id_and_name_before_their_arguments(
    server: ModelServer, client: OpenAI
) -> None:
    paris, rome = Call("weather", {"city": "Paris"}), Call("weather", "{broken")
    chunks = stream(client, server.script(Calls(paris, rome)))
    fragments = [
        call
        for chunk in chunks
        if chunk.choices
        for call in chunk.choices[0].delta.tool_calls or []
    ]
    assert [(f.index, f.id) for f in fragments if f.id] == [(0, paris.id), (1, rome.id)]
    arguments = ["".join(f.function.arguments for f in fragments if f.index == i) for i in (0, 1)]
    assert json.loads(arguments[0]) == {"city": "Paris"}
    assert arguments[1] == "{broken"
    assert chunks[-2].choices[0].finish_reason == "tool_calls"


def test_the_same_turn_is_sent_whole_without_stream(server: ModelServer, client: OpenAI) -> None:
    turn = Turn(Text("One ", "moment."), Calls(weather={"city": "Paris"}), finish="length")
    choice = client.chat.completions.create(model=server.script(turn).name, messages=[]).choices[0]
    assert choice.message.content == "One moment."
    assert choice.message.tool_calls is not None
    assert choice.message.tool_calls[0].type == "function"
    assert choice.finish_reason == "length"


def test_a_refusal_has_its_own_member(server: ModelServer, client: OpenAI) -> None:
    chunks = stream(client, server.script(Refusal("I can't ", "help.")))
    assert [c.choices[0].delta.refusal for c in chunks[1:3]] == ["I can't ", "help."]


def test_scripts_run_answer_by_answer_and_say_when_they_are_over(
    server: ModelServer, client: OpenAI
) -> None:
    one, other = server.script(Text("a1"), Text("a2")), server.script(Text("b1"))
    texts = [stream(client, model)[1].choices[0].delta.content for model in (one, other, one)]
    assert texts == ["a1", "b1", "a2"]
    with pytest.raises(openai.BadRequestError, match="2 answers and was asked for one more"):
        stream(client, one)


def test_errors_carry_status_headers_and_body(server: ModelServer, client: OpenAI) -> None:
    model = server.script(HttpError(429, "Slow down.", headers={"Retry-After": "1"}))
    with pytest.raises(openai.RateLimitError, match="Slow down") as caught:
        stream(client, model)
    assert caught.value.response.headers["Retry-After"] == "1"
    with pytest.raises(openai.InternalServerError) as broken:
        stream(client, server.script(HttpError(502, body=b"<html>")))
    assert broken.value.response.content == b"<html>"


def test_an_unknown_model_is_refused_as_a_provider_refuses_it(client: OpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match="does not exist"):
        client.chat.completions.create(model="gpt-unknown", messages=[])


def test_a_break_cuts_the_connection_before_or_inside_the_answer(
    server: ModelServer, client: OpenAI
) -> None:
    with pytest.raises(openai.APIConnectionError):
        stream(client, server.script(Turn(Break())))
    with pytest.raises(openai.APIConnectionError):
        stream(client, server.script(Turn(Text("Hel"), Break())))


def test_garbage_reaches_the_client(server: ModelServer, client: OpenAI) -> None:
    with pytest.raises(json.JSONDecodeError):
        stream(client, server.script(Turn(Text("Hel"), Garbage())))


def test_silence_lasts_for_its_time_or_until_the_gate_opens(
    server: ModelServer, client: OpenAI
) -> None:
    started = time.monotonic()
    stream(client, server.script(Turn(Pause(0.05), Text("late"))))
    assert time.monotonic() - started >= 0.05
    silence = Wait()
    model = server.script(Turn(Text("first"), silence, Text("second")))
    seen = []
    for chunk in client.chat.completions.create(model=model.name, messages=[], stream=True):
        seen.append(chunk.choices[0].delta.content)
        if seen[-1] == "first":
            silence.gate.set()
    assert seen == ["", "first", "second", None]
