"""Files attached to messages are searched by the next run, and go with their thread."""

import time
from typing import Any

from openai import OpenAI

from infra.local import LocalStack
from tests.e2e.fixture_types import MakeAssistant
from tests.e2e.leftovers import Leftovers, leftovers
from tests.e2e.manuals import PAGE, SEARCH

QUESTION = "What is the cat of the lighthouse keeper called?"


def attached(file_id: str) -> Any:
    tools = [{"type": "file_search"}]
    return {
        "role": "user",
        "content": QUESTION,
        "attachments": [{"file_id": file_id, "tools": tools}],
    }


def answer(client: OpenAI, thread_id: str, assistant_id: str, **members: Any) -> tuple[str, str]:
    """Return the text of a run, and the id of the file that it cites."""
    run = client.beta.threads.runs.create_and_poll(
        thread_id=thread_id, assistant_id=assistant_id, poll_interval_ms=100, **members
    )
    assert run.status == "completed", run.last_error
    message = next(iter(client.beta.threads.messages.list(thread_id, run_id=run.id)))
    (block,) = message.content
    assert block.type == "text"
    citation: Any = block.text.annotations[0]
    return block.text.value, citation.file_citation.file_id


def test_a_run_waits_for_what_its_thread_was_given(
    client: OpenAI, make_assistant: MakeAssistant
) -> None:
    """Nobody polls the store: the run itself waits until it can be searched."""
    file = client.files.create(file=PAGE, purpose="assistants")
    assistant = make_assistant("demo", tools=[SEARCH])
    thread = client.beta.threads.create(messages=[attached(file.id)])
    text, cited = answer(client, thread.id, assistant.id)
    assert "Ahab" in text
    assert cited == file.id
    client.beta.threads.delete(thread.id)
    client.files.delete(file.id)


def test_additional_messages_bring_files_to_their_own_run(
    client: OpenAI, make_assistant: MakeAssistant
) -> None:
    file = client.files.create(file=PAGE, purpose="assistants")
    assistant = make_assistant("demo", tools=[SEARCH])
    thread = client.beta.threads.create()
    text, cited = answer(client, thread.id, assistant.id, additional_messages=[attached(file.id)])
    assert "Ahab" in text
    assert cited == file.id
    client.beta.threads.delete(thread.id)
    client.files.delete(file.id)


def test_a_deleted_thread_leaves_nothing_of_its_stores(
    client: OpenAI, stack: LocalStack, api_key: str
) -> None:
    file = client.files.create(file=PAGE, purpose="assistants")
    assistant = client.beta.assistants.create(model="demo", tools=[SEARCH])
    helper: Any = {"file_search": {"vector_stores": [{"file_ids": [file.id]}]}}
    thread = client.beta.threads.create(tool_resources=helper, messages=[attached(file.id)])
    answer(client, thread.id, assistant.id)
    client.beta.threads.delete(thread.id)
    client.beta.assistants.delete(assistant.id)
    client.files.delete(file.id)
    until = time.monotonic() + 30
    while leftovers(stack, api_key) != Leftovers([], [], []):
        assert time.monotonic() < until, leftovers(stack, api_key)
        time.sleep(0.2)
