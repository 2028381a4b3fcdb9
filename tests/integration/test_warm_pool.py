"""The warm pool on the deployed template: filled by the schedule, used by the first thread."""

import time
from collections.abc import Iterator

import pytest
from openai import OpenAI

from infra.local import LocalStack
from tests.support.model_server import Call, Calls, ModelServer, Text
from tests.support.permissions import forbidden


@pytest.fixture
def stack(model_server: ModelServer) -> Iterator[LocalStack]:
    with LocalStack({"ModelUrl": model_server.url, "SandboxSpares": "1"}) as stack:
        yield stack


def running(stack: LocalStack, count: int) -> set[str]:
    """Wait until there are so many sessions, and return them."""
    give_up = time.monotonic() + 60
    while len(found := set(stack.tasks.running())) != count:
        assert time.monotonic() < give_up, found
        time.sleep(0.05)
    return found


def sweep(stack: LocalStack) -> None:
    [schedule] = stack.schedules.rules
    stack.schedules.fire(schedule)


def test_a_thread_takes_the_warm_session_and_another_is_launched(
    stack: LocalStack, model_server: ModelServer
) -> None:
    sweep(stack)
    warm = running(stack, 1)
    model = model_server.script(Calls(Call("code_interpreter", {"code": "6 * 7"})), Text("42."))
    beta = OpenAI(base_url=stack.base_url, api_key="sk-warm", max_retries=0).beta
    assistant = beta.assistants.create(model=model.name, tools=[{"type": "code_interpreter"}])
    thread = beta.threads.create()
    run = beta.threads.runs.create_and_poll(
        thread_id=thread.id, assistant_id=assistant.id, poll_interval_ms=50
    )
    assert run.status == "completed"
    assert model.requests[1].body["messages"][-1]["content"] == "42"
    assert running(stack, 1) == warm  # nothing else was launched for it
    sweep(stack)
    assert running(stack, 2) > warm
    assert forbidden(stack) == set()
