"""Runs on Amazon Bedrock, through the SDK, the local stack and Bedrock's event stream."""

from typing import Any

import openai
import pytest
from openai import OpenAI
from openai.types.beta import Thread

from tests.e2e.envelope import error
from tests.e2e.fixture_types import MakeAssistant
from tests.support.bedrock_server import BedrockServer, Refused, called, said

WEATHER: Any = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}


def test_a_run_calls_a_function_and_answers_with_its_output(
    client: OpenAI, make_assistant: MakeAssistant, thread: Thread, bedrock_server: BedrockServer
) -> None:
    bedrock_server.script(
        called(("tooluse_1", "weather", ['{"city": ', '"Paris"}']), saying="Let me look."),
        said("It is ", "sunny."),
    )
    assistant = make_assistant("bedrock.nova", instructions="Be brief.", tools=[WEATHER])
    run = client.beta.threads.runs.create_and_poll(thread_id=thread.id, assistant_id=assistant.id)
    assert run.required_action is not None
    [call] = run.required_action.submit_tool_outputs.tool_calls
    assert (call.function.name, call.function.arguments) == ("weather", '{"city": "Paris"}')
    with client.beta.threads.runs.submit_tool_outputs_stream(
        thread_id=thread.id,
        run_id=run.id,
        tool_outputs=[{"tool_call_id": call.id, "output": "sunny"}],
    ) as stream:
        texts = list(stream.text_deltas)
    assert "".join(texts) == "It is sunny."
    run = client.beta.threads.runs.retrieve(run.id, thread_id=thread.id)
    assert run.status == "completed"
    assert run.usage is not None
    assert (run.usage.prompt_tokens, run.usage.completion_tokens) == (22, 14)
    first, second = bedrock_server.requests
    assert first.model == second.model == "bedrock.nova"
    assert second.body["system"] == [{"text": "Be brief."}]
    user, asked, answered = second.body["messages"]
    assert user == {"role": "user", "content": [{"text": "Hello"}]}
    use = {"toolUseId": call.id, "name": "weather", "input": {"city": "Paris"}}
    assert asked["content"] == [{"text": "Let me look."}, {"toolUse": use}]
    result = {"toolUseId": call.id, "content": [{"text": "sunny"}]}
    assert answered["content"] == [{"toolResult": result}]


@pytest.mark.parametrize(
    ("status", "kind", "code", "way_out"),
    [
        (400, "ValidationException", "invalid_prompt", ""),
        (403, "AccessDeniedException", "server_error", "BedrockModels"),
    ],
)
def test_a_refusal_of_bedrock_fails_the_run_in_its_words(
    client: OpenAI,
    make_assistant: MakeAssistant,
    thread: Thread,
    bedrock_server: BedrockServer,
    status: int,
    kind: str,
    code: str,
    way_out: str,
) -> None:
    bedrock_server.script(Refused(status, kind, "You may not ask me that."))
    run = client.beta.threads.runs.create_and_poll(
        thread_id=thread.id, assistant_id=make_assistant("bedrock.nova").id
    )
    assert run.last_error is not None
    assert run.last_error.code == code
    words, hint = run.last_error.message.partition("You may not ask me that.")[1:]
    assert words and way_out in hint and bool(hint) == bool(way_out)


def test_what_the_model_cannot_do_is_refused_before_there_is_a_run(
    client: OpenAI, make_assistant: MakeAssistant, thread: Thread, bedrock_server: BedrockServer
) -> None:
    bedrock_server.script()
    assistant = make_assistant("bedrock.nova")
    with pytest.raises(openai.BadRequestError) as caught:
        client.beta.threads.runs.create(
            thread_id=thread.id, assistant_id=assistant.id, reasoning_effort="low"
        )
    assert caught.value.body == error(
        "Unsupported parameter: 'reasoning_effort' is not supported with this model.",
        "reasoning_effort",
        "unsupported_parameter",
    )
    assert list(client.beta.threads.runs.list(thread.id)) == []
