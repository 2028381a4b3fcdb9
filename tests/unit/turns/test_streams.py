"""The events of a run, in the order of the original API, whatever the model does."""

from typing import Any

import pytest

from assistants.domain.run import Usage
from assistants.ports.chat_model import (
    FinishDelta,
    ModelError,
    RefusalDelta,
    TextDelta,
    ToolCallDelta,
)
from tests.support.api_client import Event
from tests.support.deployment import WEATHER, Deployment, calls_of, outputs, path
from tests.support.fakes import FakeClock, Script
from tests.support.stream_reader import (
    CALLS_STEP,
    MESSAGE_BEGINS,
    MESSAGE_STEP,
    RUN_BEGINS,
    STEP_BEGINS,
    StreamReader,
    order,
)

TIME = {"type": "function", "function": {"name": "time"}}


def call(index: Any = 0, name: str | None = "weather", *fragments: str) -> list[ToolCallDelta]:
    first = ToolCallDelta(index, id=f"provider_{index}", name=name)
    return [first, *(ToolCallDelta(index, arguments=text) for text in fragments)]


def streamed(deployment: Deployment, **members: Any) -> list[Event]:
    """Stream a new run, check it by the strict reader, and return the events before `done`."""
    thread_id = deployment.thread("Hello")
    assistant_id = deployment.assistant(tools=[WEATHER, TIME])
    body = {"assistant_id": assistant_id, **members}
    return checked(deployment.api.stream(f"/threads/{thread_id}/runs", body))


def checked(events: list[Event]) -> list[Event]:
    *before_done, last = events
    assert last == Event("done", "[DONE]")
    StreamReader().read(before_done)
    return before_done


def only(events: list[Event], name: str) -> Any:
    [data] = [event.data for event in events if event.name == name]
    return data


def test_a_plain_answer() -> None:
    deployment = Deployment(["Hello ", "world", FinishDelta("stop", Usage(total_tokens=5))])
    events = streamed(deployment)
    assert order(events) == f"{RUN_BEGINS} {MESSAGE_STEP} run.completed"
    assert events[0].data["status"] == "queued"
    assert only(events, "thread.message.created")["content"] == []
    message = only(events, "thread.message.completed")
    assert message["content"] == [
        {"type": "text", "text": {"value": "Hello world", "annotations": []}}
    ]
    step = only(events, "thread.run.step.completed")
    assert step["step_details"] == {
        "type": "message_creation",
        "message_creation": {"message_id": message["id"]},
    }
    run = only(events, "thread.run.completed")
    assert run["usage"] == step["usage"]
    assert run["usage"]["total_tokens"] == 5


def test_what_the_stream_ends_with_is_what_is_read_afterwards() -> None:
    deployment = Deployment(["Hello"])
    events = streamed(deployment)
    run = events[-1].data
    assert deployment.again(run) == run
    assert deployment.steps(run) == [only(events, "thread.run.step.completed")]
    assert deployment.messages(run) == [only(events, "thread.message.completed")]


def test_deltas_that_come_before_the_next_write_are_one() -> None:
    events = streamed(Deployment(["Hello ", "big ", "world"]))
    deltas = [event.data["delta"] for event in events if event.name == "thread.message.delta"]
    texts = [block["text"]["value"] for delta in deltas for block in delta["content"]]
    assert "".join(texts) == "Hello big world"
    assert len(texts) == 2  # the first at once, the rest at the end, for the clock does not advance


def test_a_watched_run_is_written_as_time_goes_on() -> None:
    script: Script = [f"{number} " for number in range(20)]
    events = streamed(Deployment(script, clock=FakeClock(step=0.05)))
    deltas = [event.data["delta"] for event in events if event.name == "thread.message.delta"]
    blocks = [block for delta in deltas for block in delta["content"]]
    assert len(blocks) > 5
    assert [("annotations" in block["text"]) for block in blocks] == [True] + [False] * (
        len(blocks) - 1
    )


def test_a_run_that_nobody_watches_is_written_once_a_second() -> None:
    deployment = Deployment([f"{number} " for number in range(20)])
    run = deployment.run()
    names = [event.name for event in deployment.events(run)]
    assert names.count("thread.message.delta") == 1


@pytest.mark.parametrize("step", [0.0, 0.03, 0.2])
@pytest.mark.parametrize(
    "script",
    [
        ["Hello"],
        [RefusalDelta("I will "), RefusalDelta("not.")],
        ["Well, ", RefusalDelta("no."), " Sorry.", RefusalDelta(" Never.")],
        [*call(0, "weather", '{"city":', '"Paris"}')],
        [*call(0, "weather", "{}"), *call(1, "time", "{", "}"), *call(2, "weather", "{}")],
        ["Let me see. ", *call(0, "weather", "{}")],
        [
            *call(0, "weather"),
            *call(1, "time"),
            ToolCallDelta(0, arguments="{"),
            ToolCallDelta(1, arguments="{"),
            ToolCallDelta(0, arguments="}"),
            ToolCallDelta(1, arguments="}"),
        ],
    ],
)
def test_the_strictest_reader_follows_whenever_it_is_written(script: Script, step: float) -> None:
    streamed(Deployment(script, clock=FakeClock(step=step)))


def test_a_refusal_is_a_block_of_its_own() -> None:
    events = streamed(Deployment(["Well, ", RefusalDelta("no"), RefusalDelta(".")]))
    assert order(events) == f"{RUN_BEGINS} {MESSAGE_STEP} run.completed"
    message = only(events, "thread.message.completed")
    assert message["content"] == [
        {"type": "text", "text": {"value": "Well, ", "annotations": []}},
        {"type": "refusal", "refusal": "no."},
    ]


def test_an_empty_answer_is_an_empty_message() -> None:
    events = streamed(Deployment([]))
    assert order(events) == f"{RUN_BEGINS} {MESSAGE_STEP} run.completed"
    message = only(events, "thread.message.completed")
    assert message["content"] == [{"type": "text", "text": {"value": "", "annotations": []}}]


def test_an_answer_cut_at_its_length_leaves_message_and_run_incomplete() -> None:
    deployment = Deployment(["Once upon", FinishDelta("length", Usage(completion_tokens=2))])
    events = streamed(deployment, max_completion_tokens=256)
    assert order(events) == (
        f"{RUN_BEGINS} {MESSAGE_BEGINS} message.incomplete step.completed run.incomplete"
    )
    message = only(events, "thread.message.incomplete")
    assert message["incomplete_details"] == {"reason": "max_tokens"}
    assert message["incomplete_at"] is not None
    assert message["completed_at"] is None
    run = events[-1].data
    assert run["incomplete_details"] == {"reason": "max_completion_tokens"}
    assert run["usage"]["completion_tokens"] == 2
    assert run["expires_at"] is None
    assert deployment.is_free(run["thread_id"])


def test_an_answer_that_a_content_filter_ends_fails_the_run() -> None:
    deployment = Deployment(["Take some", FinishDelta("content_filter")])
    events = streamed(deployment)
    assert order(events) == (
        f"{RUN_BEGINS} {MESSAGE_BEGINS} message.incomplete step.completed run.failed"
    )
    message = only(events, "thread.message.incomplete")
    assert message["incomplete_details"] == {"reason": "content_filter"}
    assert events[-1].data["last_error"]["code"] == "server_error"
    assert deployment.is_free(events[-1].data["thread_id"])


def test_a_function_call_waits_for_the_client() -> None:
    deployment = Deployment([*call(0, "weather", '{"city":', '"Paris"}')], ["Sunny."])
    events = streamed(deployment)
    assert order(events) == f"{RUN_BEGINS} {CALLS_STEP} run.requires_action"
    assert only(events, "thread.run.step.created")["step_details"] == {
        "type": "tool_calls",
        "tool_calls": [],
    }
    run = events[-1].data
    [asked] = calls_of(run)
    assert asked["function"] == {"name": "weather", "arguments": '{"city":"Paris"}'}
    assert asked["id"].startswith("call_")
    assert run["expires_at"] is not None
    assert deployment.again(run) == run


def test_the_stream_of_a_submit_begins_with_the_end_of_the_step() -> None:
    deployment = Deployment([*call(0, "weather", "{}")], ["Sunny."])
    run = streamed(deployment)[-1].data
    submitted = deployment.api.stream(f"{path(run)}/submit_tool_outputs", outputs(run))
    events = checked(submitted)
    assert order(events) == (
        f"step.completed run.queued run.in_progress {MESSAGE_STEP} run.completed"
    )
    [function] = events[0].data["step_details"]["tool_calls"]
    assert function["function"]["output"] == "sunny"
    assert events[1].data["required_action"] is None
    assert order(deployment.events(run)) == (
        f"{RUN_BEGINS} {CALLS_STEP} run.requires_action step.completed run.queued "
        f"run.in_progress {MESSAGE_STEP} run.completed"
    )


def test_a_message_is_complete_before_tools_are_called() -> None:
    deployment = Deployment(
        [
            "Let me see.",
            *call(0, "weather", "{}"),
            FinishDelta("tool_calls", Usage(total_tokens=9)),
        ],
        ["Sunny.", FinishDelta("stop", Usage(total_tokens=4))],
    )
    events = streamed(deployment)
    assert order(events) == f"{RUN_BEGINS} {MESSAGE_STEP} {CALLS_STEP} run.requires_action"
    run = deployment.submit(events[-1].data)
    run = deployment.again(run)
    assert run["usage"]["total_tokens"] == 13
    assert [step["usage"]["total_tokens"] for step in deployment.steps(run)] == [0, 9, 4]


def test_parallel_calls_are_one_step_and_one_action() -> None:
    deployment = Deployment([*call(0, "weather", "{}"), *call(1, "time", "{}")], ["Noon."])
    events = streamed(deployment)
    assert order(events) == f"{RUN_BEGINS} {CALLS_STEP} run.requires_action"
    run = events[-1].data
    assert [asked["function"]["name"] for asked in calls_of(run)] == ["weather", "time"]
    assert len({asked["id"] for asked in calls_of(run)}) == 2


@pytest.mark.parametrize("indexes", [(0, 5), (3, 1), (None, 1)])
def test_a_provider_may_number_its_calls_as_it_likes(indexes: tuple[Any, Any]) -> None:
    first, second = indexes
    deployment = Deployment([*call(first, "weather", "{}"), *call(second, "time", "{}")])
    events = streamed(deployment)
    deltas = [event.data["delta"] for event in events if event.name == "thread.run.step.delta"]
    numbers = [entry["index"] for delta in deltas for entry in delta["step_details"]["tool_calls"]]
    assert sorted(set(numbers)) == [0, 1]
    assert [asked["function"]["name"] for asked in calls_of(events[-1].data)] == [
        "weather",
        "time",
    ]


def test_calls_that_a_provider_gives_one_index_but_two_ids_are_two() -> None:
    script: Script = [
        ToolCallDelta(0, id="a", name="weather", arguments="{}"),
        ToolCallDelta(0, id="b", name="time", arguments="{}"),
    ]
    events = streamed(Deployment(script))
    assert [asked["function"] for asked in calls_of(events[-1].data)] == [
        {"name": "weather", "arguments": "{}"},
        {"name": "time", "arguments": "{}"},
    ]


@pytest.mark.parametrize("ids", [("a", "a"), (None, "a"), ("a", ""), (None, None)])
def test_a_provider_may_give_id_and_name_with_each_fragment(ids: tuple[Any, Any]) -> None:
    script: Script = [
        ToolCallDelta(0, id=ids[0], name="weather", arguments="{"),
        ToolCallDelta(0, id=ids[1], name="weather", arguments="}"),
    ]
    [asked] = calls_of(streamed(Deployment(script))[-1].data)
    assert asked["function"] == {"name": "weather", "arguments": "{}"}


@pytest.mark.parametrize("early", [None, ""])
def test_a_name_may_come_after_its_arguments_have_begun(early: str | None) -> None:
    script: Script = [
        ToolCallDelta(0, id="a", name=early, arguments='{"a"'),
        ToolCallDelta(0, name="weather", arguments=":1}"),
    ]
    [asked] = calls_of(streamed(Deployment(script))[-1].data)
    assert asked["function"] == {"name": "weather", "arguments": '{"a":1}'}


def test_a_call_without_a_name_fails_the_run() -> None:
    deployment = Deployment([ToolCallDelta(0, id="a", arguments="{}")])
    events = streamed(deployment)
    assert order(events) == f"{RUN_BEGINS} {STEP_BEGINS} step.failed run.failed"
    run = events[-1].data
    assert run["last_error"]["code"] == "server_error"
    assert "without a name" in run["last_error"]["message"]
    assert deployment.is_free(run["thread_id"])


def test_a_call_of_a_function_that_was_not_offered_fails_the_run() -> None:
    deployment = Deployment([*call(0, "launch", "{}")])
    events = streamed(deployment)
    assert order(events) == f"{RUN_BEGINS} {STEP_BEGINS} step.failed run.failed"
    assert "'launch'" in events[-1].data["last_error"]["message"]
    assert deployment.is_free(events[-1].data["thread_id"])


def test_a_call_cut_at_its_length_is_not_handed_to_the_client() -> None:
    deployment = Deployment([*call(0, "weather", '{"ci'), FinishDelta("length")])
    events = streamed(deployment)
    assert order(events) == f"{RUN_BEGINS} {CALLS_STEP} step.failed run.incomplete"
    assert events[-1].data["incomplete_details"] == {"reason": "max_completion_tokens"}
    assert deployment.is_free(events[-1].data["thread_id"])


@pytest.mark.parametrize("after", ["\n", "That is all."])
def test_text_after_a_call_has_no_place_and_is_left_out(after: str) -> None:
    """A second step may not begin while the one with the calls is open."""
    deployment = Deployment([*call(0, "weather", "{}"), after], ["Sunny."])
    events = streamed(deployment)
    assert order(events) == f"{RUN_BEGINS} {CALLS_STEP} run.requires_action"
    run = deployment.again(deployment.submit(events[-1].data))
    assert run["status"] == "completed"
    assert [step["type"] for step in deployment.steps(run)] == ["tool_calls", "message_creation"]


def test_a_provider_that_does_not_answer_fails_the_run() -> None:
    error = ModelError("rate_limit_exceeded", "Slow down.")
    deployment = Deployment([error])
    events = streamed(deployment)
    assert order(events) == f"{RUN_BEGINS} run.failed"
    run = events[-1].data
    assert run["last_error"] == {"code": "rate_limit_exceeded", "message": "Slow down."}
    assert run["failed_at"] is not None
    assert deployment.steps(run) == deployment.messages(run) == []
    assert deployment.is_free(run["thread_id"])


@pytest.mark.parametrize("step", [0.0, 0.1])
def test_a_provider_that_breaks_off_leaves_what_it_has_said(step: float) -> None:
    error = ModelError("server_error", "The line went dead.")
    deployment = Deployment(["Once ", "upon", error], clock=FakeClock(step=step))
    events = streamed(deployment)
    assert order(events) == (
        f"{RUN_BEGINS} {MESSAGE_BEGINS} message.incomplete step.failed run.failed"
    )
    run = events[-1].data
    [message] = deployment.messages(run)
    assert message["content"][0]["text"]["value"] == "Once upon"
    assert message["incomplete_details"] == {"reason": "run_failed"}
    [failed] = deployment.steps(run)
    assert failed["last_error"] == {"code": "server_error", "message": "The line went dead."}
    assert deployment.is_free(run["thread_id"])


def test_a_provider_that_breaks_off_in_a_call_fails_its_step() -> None:
    deployment = Deployment([*call(0, "weather", '{"ci'), ModelError("server_error", "GoneError.")])
    events = streamed(deployment)
    assert order(events) == f"{RUN_BEGINS} {CALLS_STEP} step.failed run.failed"
    [failed] = deployment.steps(events[-1].data)
    assert failed["step_details"]["tool_calls"][0]["function"]["arguments"] == '{"ci'


def test_a_thread_that_is_made_with_its_run_comes_first() -> None:
    deployment = Deployment(["Hi"])
    assistant_id = deployment.assistant()
    thread = {"messages": [{"role": "user", "content": "Hello"}], "metadata": {"a": "b"}}
    body = {"assistant_id": assistant_id, "thread": thread}
    events = checked(deployment.api.stream("/threads/runs", body))
    assert order(events) == f"thread.created {RUN_BEGINS} {MESSAGE_STEP} run.completed"
    created = events[0].data
    assert created == deployment.api.get(f"/threads/{created['id']}")
    assert events[1].data["thread_id"] == created["id"]


def test_several_rounds_of_calls_are_streamed_one_after_another() -> None:
    deployment = Deployment(
        [*call(0, "weather", "{}")], [*call(0, "time", "{}")], ["Sunny at noon."]
    )
    run = streamed(deployment)[-1].data
    events = checked(
        deployment.api.stream(f"{path(run)}/submit_tool_outputs", outputs(run, "sunny"))
    )
    assert order(events) == (
        f"step.completed run.queued run.in_progress {CALLS_STEP} run.requires_action"
    )
    run = events[-1].data
    events = checked(
        deployment.api.stream(f"{path(run)}/submit_tool_outputs", outputs(run, "noon"))
    )
    assert events[-1].name == "thread.run.completed"
    assert [step["status"] for step in deployment.steps(run)] == ["completed"] * 3
    roles = [message["role"] for message in deployment.model.requests[-1].messages]
    assert roles == ["user", "assistant", "tool", "assistant", "tool"]


def test_text_and_calls_of_one_turn_are_one_message_for_the_model() -> None:
    deployment = Deployment(["Let me see.", *call(0, "weather", "{}")], ["Sunny."])
    deployment.submit(streamed(deployment)[-1].data)
    _, asked, answered = deployment.model.requests[-1].messages
    assert asked["content"] == "Let me see."
    assert asked["tool_calls"][0]["function"] == {"name": "weather", "arguments": "{}"}
    assert answered == {
        "role": "tool",
        "tool_call_id": asked["tool_calls"][0]["id"],
        "content": "sunny",
    }


def test_the_text_of_a_model_is_written_as_it_is() -> None:
    text = "Ünïcödé 🙂 \u2028 \x00 【4:0†source】 \\n"
    events = streamed(Deployment([TextDelta(text[:9]), TextDelta(text[9:])]))
    message = only(events, "thread.message.completed")
    assert message["content"][0]["text"]["value"] == text
