"""One turn of the model: repeated, interrupted, superseded, and what is left of it each time."""

from collections.abc import Callable
from threading import Event as Signal
from typing import Any

import pytest

from assistants.domain.run import Usage
from assistants.ports.chat_model import FinishDelta, ToolCallDelta
from assistants.ports.table import ConflictError, Create, Write
from tests.support.crashes import CrashError
from tests.support.deployment import WEATHER, Deployment, path
from tests.support.fakes import FakeClock, FakeTable, Script
from tests.support.stream_reader import (
    CALLS_STEP,
    MESSAGE_BEGINS,
    MESSAGE_STEP,
    RUN_BEGINS,
    StreamReader,
    order,
)
from tests.support.waiting import wait_until

CALL = ToolCallDelta(0, id="a", name="weather", arguments="{}")


def text_of(deployment: Deployment, run: dict[str, Any]) -> list[str]:
    return [message["content"][0]["text"]["value"] for message in deployment.messages(run)]


def deployed(*script: Script, step: float = 0.0) -> Deployment:
    return Deployment(*script, machine=False, clock=FakeClock(step=step))


def check_stream(deployment: Deployment, run: dict[str, Any], expected: str) -> None:
    events = deployment.events(run)
    assert order(events) == expected
    StreamReader().read(events)


def test_a_finished_turn_is_replayed_without_asking_the_model_again() -> None:
    deployment = deployed(["Hello"])
    run = deployment.run()
    first = deployment.turn(run)
    events = deployment.events(run)
    assert first["next"] == "done"
    assert deployment.turn(run) == first
    assert deployment.events(run) == events
    assert len(deployment.model.requests) == 1


def test_a_finished_turn_that_calls_functions_is_replayed_as_one() -> None:
    deployment = deployed([CALL])
    run = deployment.run()
    first = deployment.turn(run)
    assert first["next"] == "action"
    assert deployment.turn(run) == first
    deployment.wait(run)
    assert deployment.turn(run) == first
    assert len(deployment.model.requests) == 1


def test_the_state_of_the_machine_holds_ids_and_what_is_next() -> None:
    deployment = deployed(["Hello"])
    run = deployment.run()
    deployment.clock.now += 100
    project, thread_id, run_id = deployment.ref(run)
    assert deployment.turn(run) == {
        "project": project,
        "thread": thread_id,
        "run": run_id,
        "turn": 1,
        "next": "done",
        "seconds_left": 500,
    }


def test_a_worker_that_dies_before_it_has_said_anything_is_replaced() -> None:
    deployment = deployed([CrashError()], ["Hello"])
    run = deployment.run()
    with pytest.raises(CrashError):
        deployment.turn(run)
    assert deployment.again(run)["status"] == "in_progress"
    deployment.turn(run)
    assert text_of(deployment, run) == ["Hello"]
    check_stream(deployment, run, f"{RUN_BEGINS} {MESSAGE_STEP} run.completed")


def test_a_worker_that_dies_before_the_first_write_is_replaced() -> None:
    """Text that it has read from the model but not written is dropped."""
    deployment = deployed(["Good", CrashError()], ["Hello"])
    run = deployment.run()
    with pytest.raises(CrashError):
        deployment.turn(run)
    deployment.turn(run)
    assert text_of(deployment, run) == ["Hello"]


def test_a_worker_that_dies_after_it_has_said_something_ends_the_run() -> None:
    deployment = deployed(["Hel", "lo", CrashError()], ["Never said"], step=0.5)
    run = deployment.run()
    with pytest.raises(CrashError):
        deployment.turn(run)
    assert deployment.turn(run)["next"] == "done"
    run = deployment.again(run)
    assert run["status"] == "failed"
    assert run["last_error"]["code"] == "server_error"
    assert "interrupted" in run["last_error"]["message"]
    [message], [step] = deployment.messages(run), deployment.steps(run)
    assert message["status"] == "incomplete"
    assert message["incomplete_details"] == {"reason": "run_failed"}
    assert message["content"][0]["text"]["value"].startswith("Hel")
    assert len(deployment.model.requests) == 1
    assert step["status"] == "failed"
    assert deployment.is_free(run["thread_id"])
    check_stream(
        deployment, run, f"{RUN_BEGINS} {MESSAGE_BEGINS} message.incomplete step.failed run.failed"
    )


def test_a_worker_that_was_replaced_cannot_write_any_more() -> None:
    deployment = deployed([], ["Second"])
    run = deployment.run()
    deployment.model.turns[0] = ["First", lambda: _take_over(deployment, run), " again"]
    deployment.turn(run)
    assert text_of(deployment, run) == ["Second"]
    assert len(deployment.steps(run)) == 1
    check_stream(deployment, run, f"{RUN_BEGINS} {MESSAGE_STEP} run.completed")


def _take_over(deployment: Deployment, run: dict[str, Any]) -> None:
    assert deployment.turn(run)["next"] == "done"


def test_a_worker_that_has_shown_something_stops_when_another_ends_the_run() -> None:
    """The first one wrote a part and was taken for dead; the second one may not repeat it."""
    deployment = deployed([], ["Never asked for"], step=0.2)
    run = deployment.run(stream=None)

    def take_over() -> None:
        wait_until(lambda: deployment.messages(run))
        _take_over(deployment, run)

    deployment.model.turns[0] = ["First ", "part", " of it", " all", take_over, " again"] * 2
    deployment.turn(run)
    assert deployment.again(run)["status"] == "failed"
    assert "again" not in text_of(deployment, run)[0]
    check_stream(
        deployment, run, f"{RUN_BEGINS} {MESSAGE_BEGINS} message.incomplete step.failed run.failed"
    )


def test_a_cancel_is_noticed_at_the_next_write() -> None:
    deployment = deployed([], step=0.2)
    run = deployment.run()

    def cancel() -> None:
        wait_until(lambda: deployment.messages(run))
        deployment.cancel(run)

    deployment.model.turns[0] = [*(["word "] * 9), cancel, *(["too late "] * 99)]
    assert deployment.turn(run)["next"] == "done"
    run = deployment.again(run)
    assert run["status"] == "cancelled"
    assert run["cancelled_at"] is not None
    assert run["last_error"] is None
    [message], [step] = deployment.messages(run), deployment.steps(run)
    assert message["incomplete_details"] == {"reason": "run_cancelled"}
    assert (step["status"], step["last_error"]) == ("cancelled", None)
    assert deployment.is_free(run["thread_id"])
    check_stream(
        deployment,
        run,
        f"{RUN_BEGINS} {MESSAGE_BEGINS} run.cancelling message.incomplete step.cancelled "
        "run.cancelled",
    )


def test_a_cancel_is_noticed_while_the_model_is_silent() -> None:
    silence = Signal()
    deployment = deployed([], step=0.5)
    run = deployment.run()
    deployment.model.turns[0] = [
        lambda: deployment.cancel(run),
        lambda: _assert_set(silence),
        "too late",
    ]
    deployment.turn(run)
    silence.set()
    run = deployment.again(run)
    assert run["status"] == "cancelled"
    assert deployment.messages(run) == []
    check_stream(deployment, run, f"{RUN_BEGINS} run.cancelling run.cancelled")


def _assert_set(signal: Signal) -> None:
    assert signal.wait(5)


def test_a_cancel_between_the_last_word_and_the_end_still_wins() -> None:
    deployment = deployed([])
    run = deployment.run()
    deployment.model.turns[0] = ["Hello", lambda: deployment.cancel(run)]
    deployment.turn(run)
    assert deployment.again(run)["status"] == "cancelled"
    assert deployment.messages(run) == []
    assert deployment.is_free(run["thread_id"])


def test_a_run_that_was_cancelled_while_queued_never_asks_the_model() -> None:
    deployment = deployed(["Never said"])
    run = deployment.run()
    assert deployment.cancel(run)["status"] == "cancelling"
    assert deployment.turn(run)["next"] == "done"
    assert deployment.again(run)["status"] == "cancelled"
    assert deployment.model.requests == []


def test_a_model_that_talks_beyond_the_deadline_expires_the_run() -> None:
    deployment = deployed([])
    run = deployment.run()

    def pass_time() -> None:
        deployment.clock.now += 601

    deployment.model.turns[0] = ["Hello", pass_time, *(["more"] * 9)]
    deployment.turn(run)
    run = deployment.again(run)
    assert run["status"] == "expired"
    assert run["expires_at"] == run["created_at"] + 600
    assert deployment.is_free(run["thread_id"])


def test_a_model_that_says_nothing_until_the_deadline_expires_the_run() -> None:
    silence = Signal()
    deployment = deployed([lambda: _assert_set(silence)], step=20)
    run = deployment.run()
    deployment.turn(run)
    silence.set()
    assert deployment.again(run)["status"] == "expired"


def test_a_turn_that_begins_after_the_deadline_expires_the_run() -> None:
    deployment = deployed(["Never said"])
    run = deployment.run()
    deployment.clock.now += 600
    assert deployment.turn(run)["seconds_left"] == 1
    run = deployment.again(run)
    assert run["status"] == "expired"
    assert run["started_at"] is None
    assert deployment.model.requests == []


def test_the_text_of_a_message_is_kept_when_its_run_expires() -> None:
    deployment = deployed([], step=0.5)
    run = deployment.run()

    def pass_time() -> None:
        wait_until(lambda: deployment.messages(run))
        deployment.clock.now += 601

    deployment.model.turns[0] = ["Hello ", "world", " and", pass_time, " more"]
    deployment.turn(run)
    [message], [step] = deployment.messages(run), deployment.steps(run)
    assert message["incomplete_details"] == {"reason": "run_expired"}
    assert message["content"][0]["text"]["value"].startswith("Hello")
    assert step["status"] == "expired"
    assert step["expired_at"] is not None
    check_stream(
        deployment,
        run,
        f"{RUN_BEGINS} {MESSAGE_BEGINS} message.incomplete step.expired run.expired",
    )


def test_a_conversation_with_functions_ends_after_64_turns() -> None:
    script: list[Script] = [[CALL] for _ in range(64)]
    deployment = Deployment(*script)
    run = deployment.run()
    for _ in range(64):
        deployment.submit(deployment.again(run))
    run = deployment.again(run)
    assert run["status"] == "failed"
    assert "64 model turns" in run["last_error"]["message"]
    assert len(deployment.model.requests) == 64
    assert len(deployment.api.get(f"{path(run)}/steps?limit=100")["data"]) == 64
    assert deployment.is_free(run["thread_id"])


def test_metadata_that_is_changed_during_a_turn_is_kept() -> None:
    deployment = deployed([])
    run = deployment.run(metadata={"a": "1"})
    changed = {"metadata": {"b": "2"}}
    deployment.model.turns[0] = ["Hello", lambda: deployment.api.post(path(run), changed)]
    deployment.turn(run)
    run = deployment.again(run)
    assert (run["status"], run["metadata"]) == ("completed", {"b": "2"})


def test_usage_is_the_sum_over_all_turns() -> None:
    def used(tokens: int) -> FinishDelta:
        usage = Usage(prompt_tokens=tokens, completion_tokens=1, total_tokens=tokens + 1)
        return FinishDelta(usage=usage)

    deployment = Deployment([CALL, used(10)], [CALL, used(20)], ["Sunny.", used(30)])
    run = deployment.run()
    assert run["usage"] is None
    for _ in range(2):
        deployment.submit(deployment.again(run))
    run = deployment.again(run)
    assert run["usage"] == {"prompt_tokens": 60, "completion_tokens": 3, "total_tokens": 63}
    assert [step["usage"]["prompt_tokens"] for step in deployment.steps(run)] == [10, 20, 30]


class LostAnswersTable(FakeTable):
    """Loses the answer of chosen writes: they are done, but their caller sees a conflict, as when a
    connection breaks and the same write is sent again.
    """

    def __init__(self) -> None:
        super().__init__()
        self.loses: Callable[[tuple[Write, ...]], bool] = lambda _: False

    def commit(self, *writes: Write) -> None:
        super().commit(*writes)
        if self.loses(writes):
            self.loses = lambda _: False
            raise ConflictError({0: None})


def _writes_event(name: str) -> Callable[[tuple[Write, ...]], bool]:
    def writes_it(writes: tuple[Write, ...]) -> bool:
        rows = [write.row for write in writes if isinstance(write, Create)]
        events = [event for row in rows for event in row.body.get("events", [])]
        return any(event[0] == name for event in events)

    return writes_it


@pytest.mark.parametrize(
    "event",
    [
        "thread.run.in_progress",
        "thread.message.created",
        "thread.message.delta",
        "thread.message.completed",
        "thread.run.completed",
    ],
)
def test_a_write_whose_answer_is_lost_is_not_done_twice(event: str) -> None:
    table = LostAnswersTable()
    clock = FakeClock(step=0.2)
    deployment = Deployment(["Hello ", "big ", "world"], machine=False, clock=clock, table=table)
    run = deployment.run()
    table.loses = _writes_event(event)
    assert deployment.turn(run)["next"] == "done"
    assert not table.loses(())
    assert text_of(deployment, run) == ["Hello big world"]
    check_stream(deployment, run, f"{RUN_BEGINS} {MESSAGE_STEP} run.completed")


def test_a_step_is_streamed_once_when_the_answer_to_its_last_write_is_lost() -> None:
    table = LostAnswersTable()
    deployment = Deployment([CALL], machine=False, table=table)
    run = deployment.run()
    table.loses = _writes_event("thread.run.step.created")
    assert deployment.turn(run)["next"] == "action"
    deployment.wait(run)
    check_stream(deployment, run, f"{RUN_BEGINS} {CALLS_STEP} run.requires_action")


def test_an_answer_of_many_journal_records_can_be_ended_and_streamed() -> None:
    """More records than one query reads."""
    deployment = Deployment(
        [*(["word "] * 900), CrashError()],
        machine=False,
        clock=FakeClock(step=0.5),
        run_ttl_seconds=10**6,
    )
    run = deployment.run()
    with pytest.raises(CrashError):
        deployment.turn(run)
    assert sum(key.sort.startswith("E#") for key in deployment.table.rows) > 500
    deployment.finish(run)
    run = deployment.again(run)
    assert run["status"] == "failed"
    [message] = deployment.messages(run)
    assert message["content"][0]["text"]["value"].count("word") > 500
    check_stream(
        deployment, run, f"{RUN_BEGINS} {MESSAGE_BEGINS} message.incomplete step.failed run.failed"
    )


def test_only_offered_functions_reach_the_model() -> None:
    deployment = Deployment(["Hello"], ["Hello"])
    deployment.run(tools=[WEATHER])
    deployment.run(tools=[])
    with_tools, without = deployment.model.requests
    assert with_tools.tools == [WEATHER]
    assert without.tools == []
    assert "tool_choice" not in without.options
