"""Function calls through the SDK: which outputs a waiting run takes, and what becomes of them."""

from collections.abc import Callable
from typing import Any

import openai
import pytest
from openai import OpenAI
from openai.types.beta import Thread
from openai.types.beta.threads import Run

from tests.e2e.envelope import error
from tests.e2e.fixture_types import MakeAssistant
from tests.support.model_server import Call, Calls, ModelServer, ScriptedModel, Text

WEATHER: Any = {"type": "function", "function": {"name": "weather"}}
PARIS, ROME = Call("weather", {"city": "Paris"}), Call("weather", {"city": "Rome"})
Waiting = Callable[..., tuple[Run, ScriptedModel]]


@pytest.fixture
def waiting(
    client: OpenAI, make_assistant: MakeAssistant, thread: Thread, model_server: ModelServer
) -> Waiting:
    """Starts a run whose model makes these calls and then says something; gives it waiting."""

    def start(*calls: Call) -> tuple[Run, ScriptedModel]:
        model = model_server.script(Calls(*calls), Text("Both are sunny."))
        assistant = make_assistant(model.name, tools=[WEATHER])
        run = client.beta.threads.runs.create_and_poll(
            thread_id=thread.id, assistant_id=assistant.id
        )
        assert run.status == "requires_action"
        return run, model

    return start


def calls_of(run: Run) -> list[str]:
    assert run.required_action is not None
    return [call.id for call in run.required_action.submit_tool_outputs.tool_calls]


def test_parallel_calls_are_one_step_and_one_required_action(
    client: OpenAI, waiting: Waiting
) -> None:
    run, _ = waiting(PARIS, ROME)
    [step] = client.beta.threads.runs.steps.list(thread_id=run.thread_id, run_id=run.id)
    assert step.status == "in_progress"
    assert step.step_details.type == "tool_calls"
    assert [call.id for call in step.step_details.tool_calls] == calls_of(run)


def test_outputs_in_any_order_reach_the_model_with_their_calls(
    client: OpenAI, waiting: Waiting
) -> None:
    run, model = waiting(PARIS, ROME)
    paris, rome = calls_of(run)
    run = client.beta.threads.runs.submit_tool_outputs_and_poll(
        thread_id=run.thread_id,
        run_id=run.id,
        tool_outputs=[
            {"tool_call_id": rome, "output": "rain"},
            {"tool_call_id": paris, "output": "sun"},
        ],
    )
    assert run.status == "completed"
    assert run.required_action is None
    *_, called, first, second = model.requests[1].body["messages"]
    assert [call["function"]["arguments"] for call in called["tool_calls"]] == [
        PARIS.arguments_text,
        ROME.arguments_text,
    ]
    answers = {answer["tool_call_id"]: answer["content"] for answer in (first, second)}
    ids = [call["id"] for call in called["tool_calls"]]
    assert [answers[call_id] for call_id in ids] == ["sun", "rain"]


def test_a_run_answered_by_functions_has_a_completed_step_for_each_turn(
    client: OpenAI, waiting: Waiting
) -> None:
    run, _ = waiting(PARIS)
    client.beta.threads.runs.submit_tool_outputs_and_poll(
        thread_id=run.thread_id,
        run_id=run.id,
        tool_outputs=[{"tool_call_id": calls_of(run)[0], "output": "sun"}],
    )
    steps = client.beta.threads.runs.steps.list(
        thread_id=run.thread_id, run_id=run.id, order="asc"
    ).data
    assert [(step.type, step.status) for step in steps] == [
        ("tool_calls", "completed"),
        ("message_creation", "completed"),
    ]
    run = client.beta.threads.runs.retrieve(run.id, thread_id=run.thread_id)
    assert run.usage is not None
    assert run.usage.total_tokens == sum(step.usage.total_tokens for step in steps if step.usage)


def test_a_partial_set_of_outputs_is_refused_and_the_run_goes_on_waiting(
    client: OpenAI, waiting: Waiting
) -> None:
    run, _ = waiting(PARIS, ROME)
    ids = calls_of(run)
    with pytest.raises(openai.BadRequestError) as refused:
        client.beta.threads.runs.submit_tool_outputs(
            run.id,
            thread_id=run.thread_id,
            tool_outputs=[{"tool_call_id": ids[0], "output": "sun"}],
        )
    assert refused.value.body == error(
        f"Expected tool outputs for call_ids {ids!r}, got {ids[:1]!r}"
    )
    run = client.beta.threads.runs.retrieve(run.id, thread_id=run.thread_id)
    assert run.status == "requires_action"
    assert calls_of(run) == ids


def test_outputs_for_a_run_that_does_not_wait_are_refused(client: OpenAI, waiting: Waiting) -> None:
    run, _ = waiting(PARIS)
    outputs: Any = [{"tool_call_id": calls_of(run)[0], "output": "sun"}]
    run = client.beta.threads.runs.submit_tool_outputs_and_poll(
        thread_id=run.thread_id, run_id=run.id, tool_outputs=outputs
    )
    other: Any = [{**outputs[0], "output": "rain"}]
    with pytest.raises(openai.BadRequestError) as refused:
        client.beta.threads.runs.submit_tool_outputs(
            run.id, thread_id=run.thread_id, tool_outputs=other
        )
    assert refused.value.body == error('Runs in status "completed" do not accept tool outputs.')


def test_a_number_is_taken_for_its_json_text(client: OpenAI, waiting: Waiting) -> None:
    run, model = waiting(PARIS)
    output: Any = 21.5
    client.beta.threads.runs.submit_tool_outputs_and_poll(
        thread_id=run.thread_id,
        run_id=run.id,
        tool_outputs=[{"tool_call_id": calls_of(run)[0], "output": output}],
    )
    assert model.requests[1].body["messages"][-1]["content"] == "21.5"
