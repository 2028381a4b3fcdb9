"""Every failure of the model provider ends the run in a defined way and frees the thread."""

from typing import Any

import pytest
from openai import OpenAI
from openai.types.beta import Thread

from tests.e2e.fixture_types import MakeAssistant
from tests.support.model_server import Break, Garbage, HttpError, ModelServer, Text, Turn

AT_ONCE = {"Retry-After": "0"}


@pytest.mark.parametrize(
    "trouble",
    [
        HttpError(429, headers=AT_ONCE),
        HttpError(500, headers=AT_ONCE),
        HttpError(503, body=b"<html>busy</html>", headers=AT_ONCE),
        Turn(Break()),
    ],
    ids=["rate limit", "server error", "no json", "connection lost"],
)
def test_trouble_before_the_first_byte_is_retried(
    client: OpenAI,
    make_assistant: MakeAssistant,
    thread: Thread,
    model_server: ModelServer,
    trouble: Any,
) -> None:
    model = model_server.script(trouble, Text("Here I am."))
    run = client.beta.threads.runs.create_and_poll(
        thread_id=thread.id, assistant_id=make_assistant(model.name).id
    )
    assert run.status == "completed"
    assert len(model.requests) == 2


@pytest.mark.parametrize(
    ("trouble", "code"),
    [
        (HttpError(400, "max_tokens is too large"), "invalid_prompt"),
        (HttpError(401, "Incorrect API key provided"), "server_error"),
        (HttpError(429, headers=AT_ONCE), "rate_limit_exceeded"),
        (HttpError(500, headers=AT_ONCE), "server_error"),
        (Turn(Text("Once upon"), Break()), "server_error"),
        (Turn(Text("Once upon"), Garbage()), "server_error"),
        (Turn(Garbage(b"<html>not a stream</html>"), Break()), "server_error"),
    ],
    ids=["400", "401", "lasting 429", "lasting 500", "break", "garbage", "no stream"],
)
def test_lasting_trouble_fails_the_run_and_frees_the_thread(
    client: OpenAI,
    make_assistant: MakeAssistant,
    thread: Thread,
    model_server: ModelServer,
    trouble: Any,
    code: str,
) -> None:
    model = model_server.model(lambda _: trouble)
    run = client.beta.threads.runs.create_and_poll(
        thread_id=thread.id, assistant_id=make_assistant(model.name).id
    )
    assert run.status == "failed"
    assert run.failed_at
    assert run.last_error is not None
    assert run.last_error.code == code
    assert len(model.requests) < 10
    healthy = make_assistant(model_server.script(Text("Better.")).name)
    again = client.beta.threads.runs.create_and_poll(thread_id=thread.id, assistant_id=healthy.id)
    assert again.status == "completed"


def test_a_model_without_a_provider_fails_the_run_with_the_providers_words(
    client: OpenAI, make_assistant: MakeAssistant, thread: Thread, model_server: ModelServer
) -> None:
    run = client.beta.threads.runs.create_and_poll(
        thread_id=thread.id, assistant_id=make_assistant("gpt-unknown").id
    )
    assert run.status == "failed"
    assert run.last_error is not None
    assert "gpt-unknown" in run.last_error.message


def test_the_partial_answer_of_a_broken_stream_stays_readable(
    client: OpenAI, make_assistant: MakeAssistant, thread: Thread, model_server: ModelServer
) -> None:
    model = model_server.script(Turn(Text("Once ", "upon"), Break()))
    run = client.beta.threads.runs.create_and_poll(
        thread_id=thread.id, assistant_id=make_assistant(model.name).id
    )
    assert run.status == "failed"
    message = client.beta.threads.messages.list(thread.id, run_id=run.id).data[0]
    assert message.status == "incomplete"
    assert message.incomplete_details is not None
    assert message.incomplete_details.reason == "run_failed"
    assert message.content[0].type == "text"
    assert message.content[0].text.value == "Once upon"
    [step] = client.beta.threads.runs.steps.list(thread_id=thread.id, run_id=run.id)
    assert step.status == "failed"
    assert step.last_error is not None
