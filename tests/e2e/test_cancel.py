"""Cancelling a run: while it waits, while its model is silent, and too late."""

from threading import Thread as Worker
from typing import Any

import httpx2
import openai
import pytest
from openai import OpenAI
from openai.types.beta import Thread

from tests.e2e.envelope import error
from tests.e2e.events import Event, named, order, post_stream
from tests.e2e.fixture_types import MakeAssistant
from tests.support.model_server import Calls, ModelServer, Text, Turn, Wait

WEATHER: Any = {"type": "function", "function": {"name": "weather"}}


def test_a_waiting_run_is_cancelled_with_its_step(
    client: OpenAI, make_assistant: MakeAssistant, thread: Thread, model_server: ModelServer
) -> None:
    model = model_server.script(Calls(weather={"city": "Paris"}))
    assistant = make_assistant(model.name, tools=[WEATHER])
    run = client.beta.threads.runs.create_and_poll(thread_id=thread.id, assistant_id=assistant.id)
    run = client.beta.threads.runs.cancel(run.id, thread_id=thread.id)
    assert run.status in {"cancelling", "cancelled"}
    run = client.beta.threads.runs.poll(run.id, thread_id=thread.id)
    assert run.status == "cancelled"
    assert run.cancelled_at
    assert run.required_action is None
    [step] = client.beta.threads.runs.steps.list(thread_id=thread.id, run_id=run.id)
    assert step.status == "cancelled"
    client.beta.threads.messages.create(thread.id, role="user", content="Never mind.")


def test_a_cancel_from_elsewhere_ends_the_stream_of_a_silent_model(
    client: OpenAI,
    make_assistant: MakeAssistant,
    thread: Thread,
    model_server: ModelServer,
    raw: httpx2.Client,
) -> None:
    silence = Wait()
    model = model_server.script(Turn(Text("Once upon"), silence, Text(" a time")))
    body = {"assistant_id": make_assistant(model.name).id}
    received: list[Event] = []
    stream = Worker(
        target=lambda: received.extend(post_stream(raw, f"threads/{thread.id}/runs", body))
    )
    stream.start()
    run_id = ""
    while not run_id:
        runs = client.beta.threads.runs.list(thread.id).data
        run_id = next((run.id for run in runs if run.status == "in_progress"), "")
    run = client.beta.threads.runs.cancel(run_id, thread_id=thread.id)
    assert run.status in {"cancelling", "cancelled"}
    stream.join()
    silence.gate.set()
    assert order(received)[-1] == "done"
    assert [name for name in order(received) if name.startswith("thread.run.c")] == [
        "thread.run.created",
        "thread.run.cancelling",
        "thread.run.cancelled",
    ]
    for message in named(received, "thread.message.incomplete"):
        assert message["incomplete_details"] == {"reason": "run_cancelled"}


def test_an_ended_run_cannot_be_cancelled(
    client: OpenAI, make_assistant: MakeAssistant, thread: Thread, demo_model: str
) -> None:
    run = client.beta.threads.runs.create_and_poll(
        thread_id=thread.id, assistant_id=make_assistant(demo_model).id
    )
    with pytest.raises(openai.BadRequestError) as refused:
        client.beta.threads.runs.cancel(run.id, thread_id=thread.id)
    assert refused.value.body == error("Cannot cancel run with status 'completed'.")
