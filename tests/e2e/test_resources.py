"""Assistants, threads, messages, runs, steps and models: made, read, changed and deleted."""

import httpx2
import openai
import pytest
from openai import OpenAI
from openai.types.beta import Thread

from tests.e2e.fixture_types import MakeAssistant

TOOL = {"type": "function", "function": {"name": "weather", "parameters": {}}}


def test_an_assistant_comes_back_as_it_was_made(
    raw: httpx2.Client, make_assistant: MakeAssistant
) -> None:
    made = make_assistant(
        "demo",
        name="Närrisch 🤖",
        description="d" * 512,
        instructions="i" * 256_000,
        tools=[TOOL],
        metadata={"k": "v"},
        temperature=0.5,
        response_format={"type": "text"},
    )
    read = raw.get(f"assistants/{made.id}").json()
    assert read["created_at"] == made.created_at
    assert (read["object"], read["model"], read["name"]) == ("assistant", "demo", "Närrisch 🤖")
    assert (len(read["description"]), len(read["instructions"])) == (512, 256_000)
    assert read["tools"][0]["function"]["name"] == "weather"
    assert (read["metadata"], read["temperature"], read["top_p"]) == ({"k": "v"}, 0.5, 1.0)
    assert read["response_format"] == {"type": "text"}


def test_an_update_changes_only_the_named_members(
    client: OpenAI, make_assistant: MakeAssistant
) -> None:
    made = make_assistant("demo", name="before", instructions="kept", metadata={"k": "v"})
    client.beta.assistants.update(made.id, name="after")
    read = client.beta.assistants.retrieve(made.id)
    assert (read.name, read.instructions, read.metadata) == ("after", "kept", {"k": "v"})


def test_a_deleted_assistant_is_gone(client: OpenAI) -> None:
    made = client.beta.assistants.create(model="demo")
    deleted = client.beta.assistants.delete(made.id)
    assert (deleted.id, deleted.object, deleted.deleted) == (made.id, "assistant.deleted", True)
    with pytest.raises(openai.NotFoundError):
        client.beta.assistants.retrieve(made.id)


def test_a_thread_keeps_its_messages_in_order_and_its_metadata(client: OpenAI) -> None:
    thread = client.beta.threads.create(
        messages=[
            {"role": "user", "content": "one", "metadata": {"n": "1"}},
            {"role": "assistant", "content": [{"type": "text", "text": "two"}]},
        ],
        metadata={"k": "v"},
    )
    read = client.beta.threads.messages.list(thread.id, order="asc").data
    texts = [m.content[0].text.value for m in read if m.content[0].type == "text"]
    assert texts == ["one", "two"]
    assert [message.role for message in read] == ["user", "assistant"]
    assert [message.metadata for message in read] == [{"n": "1"}, {}]
    assert client.beta.threads.update(thread.id, metadata={"k": "w"}).metadata == {"k": "w"}
    assert client.beta.threads.delete(thread.id).deleted
    with pytest.raises(openai.NotFoundError):
        client.beta.threads.messages.list(thread.id)


def test_a_message_has_every_member_the_spec_requires(raw: httpx2.Client, thread: Thread) -> None:
    path = f"threads/{thread.id}/messages"
    body = {"role": "user", "content": "Hello", "attachments": None, "metadata": None}
    made = raw.post(path, json=body).json()
    assert raw.get(f"{path}/{made['id']}").json() == made
    identifier, created_at = made.pop("id"), made.pop("created_at")
    assert identifier.startswith("msg_")
    assert isinstance(created_at, int)
    made.pop("completed_at")
    assert made == {
        "object": "thread.message",
        "thread_id": thread.id,
        "status": "completed",
        "incomplete_details": None,
        "incomplete_at": None,
        "role": "user",
        "content": [{"type": "text", "text": {"value": "Hello", "annotations": []}}],
        "assistant_id": None,
        "run_id": None,
        "attachments": [],
        "metadata": {},
    }


def test_a_message_is_changed_and_deleted(client: OpenAI, thread: Thread) -> None:
    [message] = client.beta.threads.messages.list(thread.id).data
    changed = client.beta.threads.messages.update(
        message.id, thread_id=thread.id, metadata={"read": "yes"}
    )
    assert changed.metadata == {"read": "yes"}
    deleted = client.beta.threads.messages.delete(message.id, thread_id=thread.id)
    assert (deleted.object, deleted.deleted) == ("thread.message.deleted", True)
    assert client.beta.threads.messages.list(thread.id).data == []


def test_a_run_shows_its_effective_settings_and_takes_metadata(
    client: OpenAI, raw: httpx2.Client, make_assistant: MakeAssistant, thread: Thread
) -> None:
    assistant = make_assistant("demo", instructions="Be brief.", tools=[TOOL])
    made = client.beta.threads.runs.create(
        thread.id, assistant_id=assistant.id, additional_instructions="Rhyme.", temperature=0.2
    )
    assert (made.status, made.object) == ("queued", "thread.run")
    assert made.expires_at == made.created_at + 600
    run = client.beta.threads.runs.poll(made.id, thread_id=thread.id)
    assert (run.status, run.expires_at, run.temperature) == ("completed", None, 0.2)
    assert (run.model, run.assistant_id) == ("demo", assistant.id)
    assert run.instructions.startswith("Be brief.")
    assert run.created_at <= (run.started_at or 0) <= (run.completed_at or 0)
    client.beta.threads.runs.update(run.id, thread_id=thread.id, metadata={"k": "v"})
    path = f"threads/{thread.id}/runs/{run.id}"
    read = raw.get(path).json()
    assert (read["metadata"], read["tool_choice"], read["parallel_tool_calls"]) == (
        {"k": "v"},
        "auto",
        True,
    )
    assert raw.get(path).headers["openai-poll-after-ms"].isdigit()
    [step] = client.beta.threads.runs.steps.list(thread_id=thread.id, run_id=run.id).data
    again = client.beta.threads.runs.steps.retrieve(step.id, thread_id=thread.id, run_id=run.id)
    assert again == step


def test_models_are_listed_and_read(client: OpenAI) -> None:
    listed = [model.id for model in client.models.list()]
    assert "demo" in listed
    assert client.models.retrieve("demo").object == "model"


def test_every_answer_carries_the_headers_of_the_original(raw: httpx2.Client) -> None:
    for answer in (raw.get("models"), raw.get("assistants"), raw.get("assistants/asst_x")):
        assert answer.headers["x-request-id"]
        assert answer.headers["openai-version"] == "2020-10-01"
        assert answer.headers["openai-processing-ms"].isdigit()
