"""Values as large as the API allows come back bit for bit, and can be listed."""

import json
import random

from openai import OpenAI
from openai.types.beta import Thread

from tests.e2e.fixture_types import MakeAssistant
from tests.support.model_server import Call, Calls, ModelServer, Text

ALPHABET = [*map(chr, range(0x20, 0x2FFF)), *'"\\\n\t🙂\u2028' * 200]


def text(length: int, seed: int) -> str:
    """Text that compresses badly and holds what breaks naive encodings."""
    return "".join(random.Random(seed).choices(ALPHABET, k=length))


def test_256_000_characters_of_instructions(
    client: OpenAI, make_assistant: MakeAssistant, demo_model: str
) -> None:
    instructions = text(256_000, seed=1)
    made = make_assistant(demo_model, instructions=instructions)
    assert client.beta.assistants.retrieve(made.id).instructions == instructions


def test_128_tools_with_large_schemas(
    client: OpenAI, make_assistant: MakeAssistant, demo_model: str
) -> None:
    properties = {
        f"member_{n}": {"type": "string", "description": text(200, seed=n)} for n in range(20)
    }
    parameters = {"type": "object", "properties": properties}
    tools = [
        {"type": "function", "function": {"name": f"f{n}", "parameters": parameters}}
        for n in range(128)
    ]
    made = make_assistant(demo_model, tools=tools)
    kept = client.beta.assistants.retrieve(made.id).tools
    assert [tool.model_dump(exclude_unset=True) for tool in kept] == tools


def test_16_pairs_of_metadata_of_the_largest_size(client: OpenAI, thread: Thread) -> None:
    metadata = {f"{n:02}" + "k" * 62: text(512, seed=n) for n in range(16)}
    client.beta.threads.update(thread.id, metadata=metadata)
    assert client.beta.threads.retrieve(thread.id).metadata == metadata


def test_messages_of_a_million_characters_are_listed_in_pages_that_fit(
    client: OpenAI, thread: Thread
) -> None:
    texts = [text(1_000_000, seed=n) for n in range(4)]
    for each in texts:
        client.beta.threads.messages.create(thread.id, role="user", content=each)
    listed = list(client.beta.threads.messages.list(thread.id, limit=100, order="asc"))
    assert [message.content[0].text.value for message in listed[1:]] == texts  # type: ignore[union-attr]


def test_half_a_megabyte_of_tool_outputs_reaches_the_model_and_the_step(
    client: OpenAI, make_assistant: MakeAssistant, thread: Thread, model_server: ModelServer
) -> None:
    model = model_server.script(Calls(Call("fetch", {})), Text("Read."))
    tool = {"type": "function", "function": {"name": "fetch", "parameters": {"type": "object"}}}
    assistant = make_assistant(model.name, tools=[tool])
    run = client.beta.threads.runs.create_and_poll(
        thread_id=thread.id, assistant_id=assistant.id, poll_interval_ms=20
    )
    assert run.required_action is not None
    [call] = run.required_action.submit_tool_outputs.tool_calls
    output = text(512_000, seed=7)
    run = client.beta.threads.runs.submit_tool_outputs_and_poll(
        run_id=run.id,
        thread_id=thread.id,
        tool_outputs=[{"tool_call_id": call.id, "output": output}],
        poll_interval_ms=20,
    )
    assert run.status == "completed"
    assert model.requests[-1].body["messages"][-1]["content"] == output
    steps = client.beta.threads.runs.steps.list(run.id, thread_id=thread.id, order="asc")
    details = json.loads(steps.data[0].step_details.model_dump_json())
    assert details["tool_calls"][0]["function"]["output"] == output
