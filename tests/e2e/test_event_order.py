"""The events of a streamed run, name by name, on every path a run can take."""

from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from openai.types.beta import Thread

from tests.e2e.events import (
    CALL_STEP,
    MESSAGE_BEGINS,
    MESSAGE_STEP,
    RUN_BEGINS,
    STEP_BEGINS,
    Event,
    named,
    order,
    post_stream,
)
from tests.e2e.fixture_types import MakeAssistant
from tests.support.model_server import (
    Break,
    Call,
    Calls,
    HttpError,
    ModelServer,
    Refusal,
    Text,
    Turn,
)

WEATHER = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
RUN_CONTINUES = ["thread.run.step.completed", "thread.run.queued", "thread.run.in_progress"]
RUN_COMPLETES = ["thread.run.completed", "done"]
RUN_FAILS = ["thread.run.failed", "done"]


class Conversation:
    """Streamed runs of one assistant, whose model follows a script, on one thread."""

    def __init__(self, raw: httpx2.Client, assistant_id: str, thread_id: str) -> None:
        self._raw = raw
        self._assistant_id = assistant_id
        self._path = f"threads/{thread_id}/runs"

    def run(self, **members: Any) -> list[Event]:
        return post_stream(self._raw, self._path, {"assistant_id": self._assistant_id, **members})

    def submit(self, received: list[Event]) -> list[Event]:
        [run] = named(received, "thread.run.requires_action")
        calls = run["required_action"]["submit_tool_outputs"]["tool_calls"]
        outputs = [{"tool_call_id": call["id"], "output": "sunny"} for call in calls]
        path = f"{self._path}/{run['id']}/submit_tool_outputs"
        return post_stream(self._raw, path, {"tool_outputs": outputs})


@pytest.fixture
def converse(
    raw: httpx2.Client, make_assistant: MakeAssistant, thread: Thread, model_server: ModelServer
) -> Callable[..., Conversation]:
    def converse(*answers: Any) -> Conversation:
        assistant = make_assistant(model_server.script(*answers).name, tools=[WEATHER])
        return Conversation(raw, assistant.id, thread.id)

    return converse


Converse = Callable[..., Conversation]


def test_a_plain_answer(converse: Converse) -> None:
    received = converse(Text("Hello ", "world")).run()
    assert order(received) == [*RUN_BEGINS, *MESSAGE_STEP, *RUN_COMPLETES]
    assert received[0].data["status"] == "queued"
    assert named(received, "thread.message.created")[0]["content"] == []
    [message] = named(received, "thread.message.completed")
    assert message["content"] == [
        {"type": "text", "text": {"value": "Hello world", "annotations": []}}
    ]


def test_the_deltas_of_a_text_add_up_to_it(converse: Converse) -> None:
    received = converse(Text(*(f"{n} " for n in range(50)))).run()
    deltas = [data["delta"] for data in named(received, "thread.message.delta")]
    blocks = [block for delta in deltas for block in delta["content"]]
    assert "".join(block["text"]["value"] for block in blocks) == "".join(
        f"{n} " for n in range(50)
    )
    assert {(block["index"], block["type"]) for block in blocks} == {(0, "text")}
    assert blocks[0]["text"]["annotations"] == []
    assert all("id" not in delta for delta in deltas)


def test_a_thread_created_with_its_run_comes_first(
    raw: httpx2.Client, make_assistant: MakeAssistant, model_server: ModelServer
) -> None:
    assistant = make_assistant(model_server.script(Text("Hi")).name)
    thread = {"messages": [{"role": "user", "content": "Hello"}]}
    received = post_stream(raw, "threads/runs", {"assistant_id": assistant.id, "thread": thread})
    assert order(received) == ["thread.created", *RUN_BEGINS, *MESSAGE_STEP, *RUN_COMPLETES]
    assert received[0].data["object"] == "thread"
    assert received[1].data["thread_id"] == received[0].data["id"]


def test_a_function_call_and_its_submit_stream(converse: Converse) -> None:
    conversation = converse(Calls(weather={"city": "Paris"}), Text("Sunny."))
    received = conversation.run()
    assert order(received) == [*RUN_BEGINS, *CALL_STEP, "done"]
    [step] = named(received, "thread.run.step.created")
    assert step["step_details"] == {"type": "tool_calls", "tool_calls": []}

    continued = conversation.submit(received)
    assert order(continued) == [*RUN_CONTINUES, *MESSAGE_STEP, *RUN_COMPLETES]
    completed = continued[0].data
    assert completed["id"] == step["id"]
    [call] = completed["step_details"]["tool_calls"]
    assert call["function"] == {
        "name": "weather",
        "arguments": '{"city": "Paris"}',
        "output": "sunny",
    }


def test_the_deltas_of_parallel_calls_add_up_to_them(converse: Converse) -> None:
    paris, rome = Call("weather", {"city": "Paris"}), Call("weather", {"city": "Rome"})
    received = converse(Calls(paris, rome)).run()
    calls: dict[int, dict[str, Any]] = {}
    for data in named(received, "thread.run.step.delta"):
        assert "id" not in data["delta"]
        for delta in data["delta"]["step_details"]["tool_calls"]:
            if delta["index"] in calls:
                assert "id" not in delta and "name" not in delta["function"]
                calls[delta["index"]]["arguments"] += delta["function"]["arguments"]
            else:
                assert delta["function"]["output"] is None
                calls[delta["index"]] = {"id": delta["id"], **delta["function"]}
    [run] = named(received, "thread.run.requires_action")
    required = run["required_action"]["submit_tool_outputs"]["tool_calls"]
    assert [calls[0], calls[1]] == [
        {"id": call["id"], **call["function"], "output": None} for call in required
    ]
    assert [call["function"]["arguments"] for call in required] == [
        paris.arguments_text,
        rome.arguments_text,
    ]


def test_several_rounds_of_calls(converse: Converse) -> None:
    conversation = converse(
        Calls(weather={"city": "Paris"}), Calls(weather={"city": "Rome"}), Text("Both sunny.")
    )
    first = conversation.run()
    second = conversation.submit(first)
    assert order(second) == [*RUN_CONTINUES, *CALL_STEP, "done"]
    third = conversation.submit(second)
    assert order(third) == [*RUN_CONTINUES, *MESSAGE_STEP, *RUN_COMPLETES]
    steps = [named(part, "thread.run.step.created")[0]["id"] for part in (first, second, third)]
    assert len(set(steps)) == 3


def test_text_before_a_call_is_completed_before_the_call_begins(converse: Converse) -> None:
    received = converse(Turn(Text("Let me look."), Calls(weather={"city": "Paris"}))).run()
    assert order(received) == [*RUN_BEGINS, *MESSAGE_STEP, *CALL_STEP, "done"]


def test_a_refusal_is_a_block_of_its_own(converse: Converse) -> None:
    received = converse(Refusal("I can't ", "help with that.")).run()
    assert order(received) == [*RUN_BEGINS, *MESSAGE_STEP, *RUN_COMPLETES]
    blocks = [
        block
        for data in named(received, "thread.message.delta")
        for block in data["delta"]["content"]
    ]
    assert {(block["index"], block["type"]) for block in blocks} == {(0, "refusal")}
    assert "".join(block["refusal"] for block in blocks) == "I can't help with that."
    [message] = named(received, "thread.message.completed")
    assert message["content"] == [{"type": "refusal", "refusal": "I can't help with that."}]


def test_an_answer_cut_by_its_token_limit_is_incomplete(converse: Converse) -> None:
    received = converse(Turn(Text("Once upon"), finish="length")).run(max_completion_tokens=256)
    names = order(received)
    assert names[-2:] == ["thread.run.incomplete", "done"]
    assert "thread.message.completed" not in names
    [message] = named(received, "thread.message.incomplete")
    assert message["incomplete_details"] == {"reason": "max_tokens"}
    [run] = named(received, "thread.run.incomplete")
    assert run["incomplete_details"] == {"reason": "max_completion_tokens"}


def test_a_provider_that_refuses_fails_the_run_without_a_step(converse: Converse) -> None:
    received = converse(HttpError(400, "Unsupported.")).run()
    assert order(received) == [*RUN_BEGINS, *RUN_FAILS]
    assert received[-2].data["last_error"]["code"] == "invalid_prompt"


def test_a_provider_that_breaks_mid_answer_leaves_a_failed_step(converse: Converse) -> None:
    received = converse(Turn(Text("Once upon"), Break())).run()
    assert order(received) == [
        *RUN_BEGINS,
        *STEP_BEGINS,
        *MESSAGE_BEGINS,
        "thread.message.delta",
        "thread.message.incomplete",
        "thread.run.step.failed",
        *RUN_FAILS,
    ]
    [message] = named(received, "thread.message.incomplete")
    assert message["incomplete_details"] == {"reason": "run_failed"}
    assert message["content"][0]["text"]["value"] == "Once upon"
