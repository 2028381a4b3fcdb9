"""Keys, and the tenants they belong to: what one makes the other cannot see."""

from typing import Any

import httpx2
import openai
import pytest
from openai import OpenAI
from openai.types.beta import Thread

from tests.e2e.envelope import error
from tests.e2e.fixture_types import MakeAssistant


def test_without_a_key_nothing_is_served(base_url: str) -> None:
    for path in ("assistants", "threads/thread_x", "models"):
        answer = httpx2.get(f"{base_url}/{path}", headers={"OpenAI-Beta": "assistants=v2"})
        assert answer.status_code == 401
        refusal = answer.json()["error"]
        assert refusal["message"].startswith("You didn't provide an API key.")
        assert (refusal["type"], refusal["code"]) == ("invalid_request_error", None)


def test_another_tenants_objects_do_not_exist(
    other_client: OpenAI, make_assistant: MakeAssistant, thread: Thread
) -> None:
    assistant = make_assistant("demo")
    beta = other_client.beta
    attempts: list[tuple[Any, str]] = [
        (
            lambda: beta.assistants.retrieve(assistant.id),
            f"assistant found with id '{assistant.id}",
        ),
        (lambda: beta.assistants.delete(assistant.id), f"assistant found with id '{assistant.id}"),
        (lambda: beta.threads.retrieve(thread.id), f"thread found with id '{thread.id}"),
        (lambda: beta.threads.messages.list(thread.id), f"thread found with id '{thread.id}"),
        (lambda: beta.threads.delete(thread.id), f"thread found with id '{thread.id}"),
        (
            lambda: beta.threads.runs.create(thread.id, assistant_id=assistant.id),
            "found with id '",
        ),
    ]
    for attempt, text in attempts:
        with pytest.raises(openai.NotFoundError) as refused:
            attempt()
        assert text in str(refused.value)
    assert beta.assistants.list().data == []


def test_a_run_of_another_tenants_assistant_is_refused(
    other_client: OpenAI, make_assistant: MakeAssistant
) -> None:
    assistant = make_assistant("demo")
    thread = other_client.beta.threads.create()
    with pytest.raises(openai.NotFoundError) as refused:
        other_client.beta.threads.runs.create(thread.id, assistant_id=assistant.id)
    assert refused.value.body == error(f"No assistant found with id '{assistant.id}'.")
