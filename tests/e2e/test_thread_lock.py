"""One active run holds its thread: nothing else may write to it until the run has ended."""

from concurrent.futures import ThreadPoolExecutor

import httpx2
import openai
import pytest
from openai import OpenAI
from openai.types.beta import Thread

from tests.e2e.envelope import error
from tests.e2e.fixture_types import MakeAssistant
from tests.support.model_server import Calls, ModelServer, Text, Turn, Wait

WEATHER = {"type": "function", "function": {"name": "weather"}}


def test_a_second_run_and_a_message_are_refused_until_the_first_run_ends(
    client: OpenAI, make_assistant: MakeAssistant, thread: Thread, model_server: ModelServer
) -> None:
    silence = Wait()
    assistant = make_assistant(model_server.script(Turn(silence, Text("Hi")), Text("Again")).name)
    run = client.beta.threads.runs.create(thread.id, assistant_id=assistant.id)
    with pytest.raises(openai.BadRequestError) as second:
        client.beta.threads.runs.create(thread.id, assistant_id=assistant.id)
    assert second.value.body == error(f"Thread {thread.id} already has an active run {run.id}.")
    with pytest.raises(openai.BadRequestError) as message:
        client.beta.threads.messages.create(thread.id, role="user", content="More")
    assert message.value.body == error(
        f"Can't add messages to {thread.id} while a run {run.id} is active."
    )
    silence.gate.set()
    assert client.beta.threads.runs.poll(run.id, thread_id=thread.id).status == "completed"
    client.beta.threads.messages.create(thread.id, role="user", content="More")
    again = client.beta.threads.runs.create_and_poll(thread_id=thread.id, assistant_id=assistant.id)
    assert again.status == "completed"
    assert len(client.beta.threads.messages.list(thread.id).data) == 4


def test_of_ten_simultaneous_runs_one_is_accepted(
    client: OpenAI,
    make_assistant: MakeAssistant,
    thread: Thread,
    model_server: ModelServer,
    raw: httpx2.Client,
) -> None:
    assistant = make_assistant(
        model_server.script(Calls(weather={"city": "Paris"})).name, tools=[WEATHER]
    )

    def create(_: int) -> httpx2.Response:
        return raw.post(f"threads/{thread.id}/runs", json={"assistant_id": assistant.id})

    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(create, range(10)))
    assert sorted(answer.status_code for answer in answers) == [200, *[400] * 9]
    [run_id] = [answer.json()["id"] for answer in answers if answer.status_code == 200]
    refused = error(f"Thread {thread.id} already has an active run {run_id}.")
    assert all(a.json() == {"error": refused} for a in answers if a.status_code == 400)
