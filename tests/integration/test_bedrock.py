"""The adapter for Amazon Bedrock, over HTTP to a server that speaks its event stream."""

import base64
import json
from collections.abc import Callable, Iterator
from typing import Any, get_args

import pytest
from botocore.config import Config
from botocore.session import get_session

from assistants.adapters.guarded_fetch import FetchRefusedError
from assistants.adapters.models.bedrock import Bedrock
from assistants.domain.ids import TOOL_CALL, new_id
from assistants.domain.run import Usage
from assistants.domain.tool import FunctionName
from assistants.ports.chat_model import (
    Delta,
    FinishDelta,
    ModelError,
    ModelRequest,
    TextDelta,
    ToolCallDelta,
)
from tests.support.bedrock_server import (
    Answer,
    BedrockServer,
    Broken,
    Fault,
    Refused,
    called,
    ended,
    said,
)

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 8
USAGE = Usage(prompt_tokens=11, completion_tokens=7, total_tokens=18)
USER = {"role": "user", "content": "Hello"}
Ask = Callable[..., list[Delta]]


def no_fetch(url: str) -> bytes:
    raise FetchRefusedError(f"{url} is not reached")


def new_client(patch: pytest.MonkeyPatch) -> Any:
    patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    patch.setenv("AWS_ACCESS_KEY_ID", "AKIATEST")
    patch.setenv("AWS_SECRET_ACCESS_KEY", "none")
    config = Config(read_timeout=5, retries={"total_max_attempts": 1})
    return get_session().create_client("bedrock-runtime", config=config)


@pytest.fixture(scope="module")
def server() -> Iterator[BedrockServer]:
    with BedrockServer() as server:
        yield server


@pytest.fixture(scope="module")
def bedrock(server: BedrockServer) -> Iterator[Bedrock]:
    """The adapter over botocore, which learns the address as functions do."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", server.url)
        yield Bedrock(new_client(patch), no_fetch)


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assistants.adapters.backoff.time.sleep", lambda _seconds: None)


@pytest.fixture
def ask(server: BedrockServer, bedrock: Bedrock) -> Ask:
    """Let the server answer so, ask, and return the deltas."""

    def ask(*answers: Answer, **members: Any) -> list[Delta]:
        server.script(*answers)
        request = {"model": "amazon.nova-pro-v1:0", "messages": [USER], **members}
        return list(bedrock.stream(ModelRequest(**request)))

    return ask


def sent(server: BedrockServer) -> dict[str, Any]:
    [request] = server.requests
    return request.body


def function(name: str = "weather", **members: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, **members}}


def turn_of_calls(*calls: tuple[str, str, str, str]) -> list[dict[str, Any]]:
    """Return the assistant's message and the tools' for calls of (id, name, arguments, output)."""
    asked = [
        {"id": id, "type": "function", "function": {"name": name, "arguments": arguments}}
        for id, name, arguments, _ in calls
    ]
    outputs = [{"role": "tool", "tool_call_id": id, "content": out} for id, _, _, out in calls]
    return [{"role": "assistant", "content": None, "tool_calls": asked}, *outputs]


def test_text_comes_as_it_is_streamed_with_its_end_and_usage(ask: Ask) -> None:
    assert ask(said("It is ", "sunny.")) == [
        TextDelta("It is "),
        TextDelta("sunny."),
        FinishDelta(reason="stop"),
        FinishDelta(usage=USAGE),
    ]


def test_calls_come_in_fragments_under_the_index_of_their_block(ask: Ask) -> None:
    answer = called(
        ("t1", "weather", ['{"city"', ': "Paris"}']), ("t2", "time", ["{}"]), saying="Let me look."
    )
    assert ask(answer, tools=[function(), function("time")]) == [
        TextDelta("Let me look."),
        ToolCallDelta(1, id="t1", name="weather"),
        ToolCallDelta(1, arguments='{"city"'),
        ToolCallDelta(1, arguments=': "Paris"}'),
        ToolCallDelta(2, id="t2", name="time"),
        ToolCallDelta(2, arguments="{}"),
        FinishDelta(reason="tool_calls"),
        FinishDelta(usage=USAGE),
    ]


def test_a_call_without_input_has_the_arguments_of_an_empty_object(ask: Ask) -> None:
    _, arguments, *_ = ask(called(("t1", "now", [""])), tools=[function("now")])
    assert arguments == ToolCallDelta(0, arguments="{}")


def test_without_parallel_calls_only_the_first_call_of_a_turn_is_kept(ask: Ask) -> None:
    deltas = ask(
        called(("t1", "weather", ['{"a":1}']), ("t2", "time", ["{}"])),
        tools=[function(), function("time")],
        options={"parallel_tool_calls": False},
    )
    calls = [delta for delta in deltas if isinstance(delta, ToolCallDelta)]
    assert {call.index for call in calls} == {0}
    assert deltas[-2:] == [FinishDelta(reason="tool_calls"), FinishDelta(usage=USAGE)]


def test_thoughts_are_not_part_of_the_answer(ask: Ask) -> None:
    thought = {"contentBlockIndex": 0, "delta": {"reasoningContent": {"text": "Hm."}}}
    answer = said("Yes.")
    assert isinstance(answer, list)
    assert ask([{"contentBlockDelta": thought}, *answer])[0] == TextDelta("Yes.")


@pytest.mark.parametrize(
    ("stop", "reason"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("tool_use", "tool_calls"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("content_filtered", "content_filter"),
        ("guardrail_intervened", "content_filter"),
    ],
)
def test_a_stop_reason_has_its_counterpart(ask: Ask, stop: str, reason: str) -> None:
    assert ask(said("x", stop=stop))[1] == FinishDelta(reason=reason)  # type: ignore[arg-type]


def test_tokens_of_the_cache_count_as_prompt(ask: Ask) -> None:
    answer = ended("end_turn", cacheReadInputTokens=100, cacheWriteInputTokens=10)
    usage = Usage(prompt_tokens=121, completion_tokens=7, total_tokens=128)
    assert ask(answer)[-1] == FinishDelta(usage=usage)


def test_the_model_is_named_in_the_path_also_when_it_is_an_arn(
    ask: Ask, server: BedrockServer
) -> None:
    arn = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123"
    ask(said("x"), model=arn)
    assert [request.model for request in server.requests] == [arn]


def test_roles_alternate_and_instructions_are_the_system_prompt(
    ask: Ask, server: BedrockServer
) -> None:
    ask(
        said("x"),
        messages=[
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "One"},
            {"role": "user", "content": "Two"},
            {"role": "assistant", "content": "Three"},
            {"role": "user", "content": "Four"},
        ],
    )
    assert sent(server) == {
        "system": [{"text": "Be brief."}],
        "messages": [
            {"role": "user", "content": [{"text": "One"}, {"text": "Two"}]},
            {"role": "assistant", "content": [{"text": "Three"}]},
            {"role": "user", "content": [{"text": "Four"}]},
        ],
    }


@pytest.mark.parametrize(
    ("messages", "roles"),
    [
        ([], ["user"]),
        ([{"role": "user", "content": " "}], ["user"]),
        ([{"role": "assistant", "content": "Hi"}], ["user", "assistant", "user"]),
        ([USER, {"role": "assistant", "content": ""}, USER], ["user"]),
    ],
)
def test_a_user_begins_and_ends_and_no_text_is_blank(
    ask: Ask, server: BedrockServer, messages: list[Any], roles: list[str]
) -> None:
    ask(said("x"), messages=[{"role": "system", "content": " \n"}, *messages])
    body = sent(server)
    assert [message["role"] for message in body["messages"]] == roles
    assert all(block["text"].strip() for one in body["messages"] for block in one["content"])
    assert "system" not in body


def test_calls_and_their_outputs_are_blocks_of_their_turns(ask: Ask, server: BedrockServer) -> None:
    history = turn_of_calls(("t1", "weather", '{"city": "Paris"}', "sunny"), ("t2", "now", "", " "))
    ask(said("x"), messages=[USER, *history], tools=[function()])
    _, asked, answered = sent(server)["messages"]
    assert asked["content"] == [
        {"toolUse": {"toolUseId": "t1", "name": "weather", "input": {"city": "Paris"}}},
        {"toolUse": {"toolUseId": "t2", "name": "now", "input": {}}},
    ]
    assert answered == {
        "role": "user",
        "content": [
            {"toolResult": {"toolUseId": "t1", "content": [{"text": "sunny"}]}},
            {"toolResult": {"toolUseId": "t2", "content": [{"text": "(no output)"}]}},
        ],
    }


@pytest.mark.parametrize("arguments", ['{"city": ', "[1]"])
def test_arguments_that_are_no_object_are_given_back_in_one(
    ask: Ask, server: BedrockServer, arguments: str
) -> None:
    history = turn_of_calls(("t1", "weather", arguments, "?"))
    ask(said("x"), messages=[USER, *history], tools=[function()])
    [block] = sent(server)["messages"][1]["content"]
    assert list(block["toolUse"]["input"]) == ["arguments"]


def test_tools_are_described_with_their_schema(ask: Ask, server: BedrockServer) -> None:
    schema = {"type": "object", "properties": {"city": {"type": "string"}}}
    tools = [
        function(description="Weather of a city", parameters=schema, strict=True),
        function("now", description="", strict=False),
    ]
    ask(said("x"), tools=tools)
    assert [tool["toolSpec"] for tool in sent(server)["toolConfig"]["tools"]] == [
        {
            "name": "weather",
            "description": "Weather of a city",
            "inputSchema": {"json": schema},
            "strict": True,
        },
        {"name": "now", "inputSchema": {"json": {"type": "object", "properties": {}}}},
    ]


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("auto", None),
        ("required", {"any": {}}),
        ({"type": "function", "function": {"name": "weather"}}, {"tool": {"name": "weather"}}),
    ],
)
def test_a_tool_choice_has_its_counterpart(
    ask: Ask, server: BedrockServer, choice: Any, expected: Any
) -> None:
    ask(said("x"), tools=[function()], options={"tool_choice": choice})
    assert sent(server)["toolConfig"].get("toolChoice") == expected


def test_tools_that_may_not_be_called_are_not_offered(ask: Ask, server: BedrockServer) -> None:
    ask(said("x"), tools=[function()], options={"tool_choice": "none"})
    assert "toolConfig" not in sent(server)


def test_options_have_the_names_of_converse(ask: Ask, server: BedrockServer) -> None:
    schema = {"type": "object", "properties": {}, "additionalProperties": False}
    ask(
        said("{}"),
        options={
            "temperature": 0.5,
            "top_p": 0.9,
            "max_completion_tokens": 300,
            "reasoning_effort": "low",
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "empty", "schema": schema, "strict": True},
            },
        },
    )
    body = sent(server)
    assert body["inferenceConfig"] == {"temperature": 0.5, "topP": 0.9, "maxTokens": 300}
    assert body["outputConfig"]["effort"] == "low"
    structure = body["outputConfig"]["textFormat"]["structure"]["jsonSchema"]
    assert (structure["name"], json.loads(structure["schema"])) == ("empty", schema)


def test_an_image_is_sent_as_its_bytes(ask: Ask, server: BedrockServer) -> None:
    data = base64.b64encode(PNG).decode()
    parts = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": f"data:image/jpeg;base64,{data}"}},
    ]
    ask(said("x"), messages=[{"role": "user", "content": parts}])
    image = {"image": {"format": "png", "source": {"bytes": data}}}
    assert sent(server)["messages"][0]["content"] == [{"text": "What is this?"}, image]


@pytest.mark.parametrize("url", ["https://images.example/cat.png", "data:image/png;base64,AAAA"])
def test_an_image_that_cannot_be_had_is_an_invalid_prompt(ask: Ask, url: str) -> None:
    part = {"type": "image_url", "image_url": {"url": url}}
    with pytest.raises(ModelError, match="An image cannot be shown") as caught:
        ask(said("x"), messages=[{"role": "user", "content": [part]}])
    assert caught.value.code == "invalid_prompt"


def test_the_stable_prefix_ends_in_cache_points(ask: Ask, server: BedrockServer) -> None:
    """The newest message is what the next turn begins with; the one before, what the last did."""
    history = turn_of_calls(("t1", "weather", "{}", "sunny"))
    ask(
        said("x"),
        messages=[{"role": "system", "content": "Be brief."}, USER, *history],
        tools=[function()],
        cache=("tools", "system", "messages"),
    )
    point = {"cachePoint": {"type": "default"}}
    body = sent(server)
    parts = [body["system"], body["toolConfig"]["tools"], *(m["content"] for m in body["messages"])]
    assert [part[-1] == point for part in parts] == [True, True, True, False, True]
    assert json.dumps(body).count("cachePoint") == 4  # as many as Bedrock allows


def test_without_a_word_in_the_route_nothing_is_cached(ask: Ask, server: BedrockServer) -> None:
    ask(said("x"), messages=[{"role": "system", "content": "Be brief."}, USER], tools=[function()])
    assert "cachePoint" not in json.dumps(sent(server))


@pytest.mark.parametrize(
    ("status", "kind", "code", "tries"),
    [
        (429, "ThrottlingException", "rate_limit_exceeded", 3),
        (400, "ValidationException", "invalid_prompt", 1),
        (403, "AccessDeniedException", "server_error", 1),
        (404, "ResourceNotFoundException", "server_error", 1),
        (408, "ModelTimeoutException", "server_error", 3),
        (500, "InternalServerException", "server_error", 3),
        (503, "ServiceUnavailableException", "server_error", 3),
    ],
)
def test_a_refusal_has_its_code_and_is_tried_again_where_that_may_help(
    ask: Ask, server: BedrockServer, status: int, kind: str, code: str, tries: int
) -> None:
    with pytest.raises(ModelError, match="In the service's words") as caught:
        ask(*[Refused(status, kind, "In the service's words.")] * 4)
    assert caught.value.code == code
    assert len(server.requests) == tries


def test_an_answer_comes_after_passing_failures(ask: Ask, server: BedrockServer) -> None:
    deltas = ask(
        Refused(503, "ServiceUnavailableException"), [Fault("throttlingException")], said("Yes.")
    )
    assert deltas[0] == TextDelta("Yes.")
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("throttlingException", "rate_limit_exceeded"),
        ("modelStreamErrorException", "server_error"),
        ("validationException", "invalid_prompt"),
    ],
)
def test_a_failure_after_the_first_event_is_not_tried_again(
    ask: Ask, server: BedrockServer, kind: str, code: str
) -> None:
    begun: Answer = [{"messageStart": {"role": "assistant"}}, Fault(kind, "Then it failed.")]
    with pytest.raises(ModelError, match=r"Then it failed\.") as caught:
        ask(begun, said("Too late."))
    assert caught.value.code == code
    assert len(server.requests) == 1


@pytest.mark.parametrize("content", [b"", b"\0\0\0\x10\0\0\0\0wrong---", b"\0\0"])
def test_an_answer_that_breaks_off_is_an_error_of_the_server(ask: Ask, content: bytes) -> None:
    said_so_far = {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": "Well, "}}}
    with pytest.raises(ModelError, match="broke off") as caught:
        ask([said_so_far, Broken(content)])
    assert caught.value.code == "server_error"


def test_an_answer_without_an_end_is_an_error_of_the_server(ask: Ask) -> None:
    with pytest.raises(ModelError, match="broke off"):
        ask([{"messageStart": {"role": "assistant"}}])


def test_malformed_output_is_an_error_of_the_server(ask: Ask) -> None:
    with pytest.raises(ModelError, match="malformed_tool_use"):
        ask(said("x", stop="malformed_tool_use"))


def test_a_server_that_is_not_there_cannot_be_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "http://127.0.0.1:9")
    nobody = Bedrock(new_client(monkeypatch), no_fetch)
    with pytest.raises(ModelError, match="cannot be reached"):
        list(nobody.stream(ModelRequest("m", [USER])))


def test_our_ids_and_names_of_tools_are_within_bedrocks_limits() -> None:
    shapes = get_session().get_service_model("bedrock-runtime")
    names = get_args(FunctionName)[1]
    assert names.max_length == shapes.shape_for("ToolName").metadata["max"]
    assert names.pattern == "^[A-Za-z0-9_-]+$"  # Bedrock's own, which botocore leaves out
    assert len(new_id(TOOL_CALL)) <= shapes.shape_for("ToolUseId").metadata["max"]
