"""Deltas add up to the same object for us, for a client that joined late and for the SDK."""

import copy
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from openai.lib.streaming._deltas import accumulate_delta

from assistants.domain.journal import Event, Record, RunProjection, accumulate

MESSAGE = {
    "id": "msg_1",
    "object": "thread.message",
    "status": "in_progress",
    "content": [],
}
STEP = {
    "id": "step_1",
    "object": "thread.run.step",
    "status": "in_progress",
    "step_details": {"type": "tool_calls", "tool_calls": []},
}

texts = st.lists(st.text(max_size=8), min_size=1, max_size=8)


def text_deltas(fragments: list[str], index: int = 0) -> list[dict[str, Any]]:
    first = {"value": fragments[0], "annotations": []}
    blocks = [{"index": index, "type": "text", "text": first}]
    blocks += [{"index": index, "type": "text", "text": {"value": more}} for more in fragments[1:]]
    return [{"content": [block]} for block in blocks]


def call_deltas(arguments: list[list[str]]) -> list[dict[str, Any]]:
    """Return parallel calls, their fragments one round after another."""
    opened = [
        {
            "index": index,
            "id": f"call_{index}",
            "type": "function",
            "function": {"name": f"f{index}", "arguments": "", "output": None},
        }
        for index in range(len(arguments))
    ]
    rounds = max(map(len, arguments))
    fragments = [
        {"index": index, "type": "function", "function": {"arguments": pieces[number]}}
        for number in range(rounds)
        for index, pieces in enumerate(arguments)
        if number < len(pieces)
    ]
    return [
        {"step_details": {"type": "tool_calls", "tool_calls": [call]}}
        for call in [*opened, *fragments]
    ]


def without_index(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: without_index(item) for name, item in value.items() if name != "index"}
    return [without_index(item) for item in value] if isinstance(value, list) else value


def added_up(start: dict[str, Any], deltas: list[dict[str, Any]]) -> dict[str, Any]:
    known = copy.deepcopy(start)
    for delta in deltas:
        accumulate(known, delta)
    return known


def added_up_by_the_sdk(start: dict[str, Any], deltas: list[dict[str, Any]]) -> Any:
    known: dict[Any, Any] = copy.deepcopy(start)
    for delta in deltas:
        fragment: dict[Any, Any] = copy.deepcopy(delta)
        known = accumulate_delta(known, fragment)
    return without_index(known)


@given(st.lists(texts, min_size=1, max_size=3))
def test_text_adds_up_as_in_the_sdk(blocks: list[list[str]]) -> None:
    deltas = [delta for index, parts in enumerate(blocks) for delta in text_deltas(parts, index)]
    ours = added_up(MESSAGE, deltas)
    assert ours == added_up_by_the_sdk(MESSAGE, deltas)
    assert [block["text"]["value"] for block in ours["content"]] == ["".join(b) for b in blocks]


@given(st.lists(texts, min_size=1, max_size=3))
def test_parallel_calls_add_up_as_in_the_sdk(arguments: list[list[str]]) -> None:
    deltas = call_deltas(arguments)
    ours = added_up(STEP, deltas)
    assert ours == added_up_by_the_sdk(STEP, deltas)
    calls = ours["step_details"]["tool_calls"]
    assert [call["function"]["arguments"] for call in calls] == ["".join(a) for a in arguments]
    assert [call["id"] for call in calls] == [f"call_{n}" for n in range(len(arguments))]


@given(st.text(max_size=40), st.data())
def test_however_an_answer_is_cut_into_deltas_the_message_is_the_same(
    text: str, data: st.DataObject
) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6)))
    pieces = [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert added_up(MESSAGE, text_deltas(pieces)) == added_up(MESSAGE, text_deltas([text]))


def test_logs_and_annotations_are_merged_by_their_index() -> None:
    output = {"index": 0, "type": "logs", "logs": "1"}
    call = {"index": 0, "type": "code_interpreter"}
    known: dict[str, Any] = {"tool_calls": []}
    for interpreter in (
        {"input": "", "outputs": []},
        {"input": "print("},
        {"input": "1)"},
        {"outputs": [output]},
        {"outputs": [{"index": 1, "type": "image", "image": {"file_id": "file-1"}}]},
    ):
        accumulate(known, {"tool_calls": [{**call, "code_interpreter": interpreter}]})
    assert known["tool_calls"] == [
        {
            "type": "code_interpreter",
            "code_interpreter": {
                "input": "print(1)",
                "outputs": [
                    {"type": "logs", "logs": "1"},
                    {"type": "image", "image": {"file_id": "file-1"}},
                ],
            },
        }
    ]


def test_a_projection_builds_whole_objects_from_events_that_name_changes() -> None:
    projection = RunProjection(run={"id": "run_1", "status": "queued", "usage": None})
    projected = [
        copy.deepcopy(projection.apply(event))
        for event in (
            Event("thread.created", {"id": "thread_1"}),
            Event("thread.run.created", {"status": "queued"}),
            Event("thread.run.in_progress", {"status": "in_progress"}),
            Event("thread.message.created", MESSAGE),
            Event("thread.message.delta", {"id": "msg_1", "delta": text_deltas(["Hi"])[0]}),
            Event("thread.message.completed", {"id": "msg_1", "status": "completed"}),
            Event("thread.run.completed", {"status": "completed", "usage": {"total_tokens": 3}}),
        )
    ]
    thread, _, run, created, delta, completed, done = projected
    assert thread == {"id": "thread_1"}
    assert run == {"id": "run_1", "status": "in_progress", "usage": None}
    assert created == MESSAGE
    assert delta == {
        "id": "msg_1",
        "object": "thread.message.delta",
        "delta": text_deltas(["Hi"])[0],
    }
    assert completed == {
        **MESSAGE,
        "status": "completed",
        "content": [{"type": "text", "text": {"value": "Hi", "annotations": []}}],
    }
    assert done == {"id": "run_1", "status": "completed", "usage": {"total_tokens": 3}}


def test_a_projection_does_not_change_the_events_that_it_reads() -> None:
    events = [
        Event("thread.message.created", copy.deepcopy(MESSAGE)),
        *(
            Event("thread.message.delta", {"id": "msg_1", "delta": delta})
            for delta in text_deltas(["a", "b"])
        ),
    ]
    before = copy.deepcopy(events)
    first, second = RunProjection(run={}), RunProjection(run={})
    for projection in (first, second):
        for event in events:
            projection.apply(event)
    assert events == before
    assert first.objects == second.objects


def test_a_story_knows_what_is_still_open() -> None:
    projection = RunProjection(run={})
    projection.apply(Event("thread.run.step.created", STEP))
    projection.apply(Event("thread.message.created", MESSAGE))
    projection.apply(Event("thread.message.completed", {"id": "msg_1", "status": "completed"}))
    assert [step["id"] for step in projection.open_objects("thread.run.step")] == ["step_1"]
    assert projection.open_objects("thread.message") == []


def test_a_record_comes_back_from_its_row_as_it_was() -> None:
    record = Record(
        "worker",
        (Event("thread.run.queued", {}), Event("thread.run.in_progress", {"a": [1]})),
        "open",
    )
    assert Record.from_body(json.loads(json.dumps(record.to_body()))) == record
