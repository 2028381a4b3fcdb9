"""The event stream of a run, from its beginning or from where a client lost the connection."""

from collections.abc import Iterator
from typing import Any

import pytest

from assistants.domain.run_step import Include, details_to_api
from assistants.http.events import KEEP_ALIVE
from assistants.ports.table import Row
from assistants.services.runs import event_stream
from assistants.services.runs.event_stream import StreamEvent, StreamStalledError
from assistants.services.storage import keys
from tests.support.deployment import Deployment, path
from tests.support.fakes import FakeTable
from tests.support.stream_reader import MESSAGE_STEP, RUN_BEGINS, order
from tests.unit.runs.started_run import started, stream


def test_events_are_streamed_as_they_happen() -> None:
    deployment, clock, run = started("Hello")
    clock.happenings = [(1, lambda: deployment.turn(run))]
    events = stream(deployment, run)
    assert order(events) == f"{RUN_BEGINS} {MESSAGE_STEP} run.completed done"
    assert set(clock.slept) == {event_stream.POLL_SECONDS}


def test_a_broken_stream_resumes_after_the_last_event_that_was_seen() -> None:
    deployment, _, run = started("Hello")
    deployment.turn(run)
    whole = stream(deployment, run)
    for seen in range(len(whole) - 1):
        assert stream(deployment, run, str(seen)) == whole[seen:]


def test_frames_are_numbered_from_one_without_gaps() -> None:
    deployment, _, run = started("Hello")
    deployment.turn(run)
    body = deployment.api.request("GET", f"{path(run)}/events").body.decode()
    numbers = [line for line in body.split("\n") if line.startswith("id: ")]
    assert numbers == [f"id: {number}" for number in range(1, len(numbers) + 1)]


@pytest.mark.parametrize("last", ["x", "-1", "1.5", "²", " "])
def test_an_event_id_that_was_never_given_is_refused(last: str) -> None:
    deployment, _, run = started("Hello")
    answer = deployment.api.request(
        "GET", f"{path(run)}/events", headers={"last-event-id": last.encode().decode("latin-1")}
    )
    assert answer.status == 400
    assert answer.error["param"] == "Last-Event-ID"


def test_a_journal_that_is_forgotten_is_gone() -> None:
    deployment, _, run = started("Hello")
    deployment.turn(run)
    rows = deployment.table.rows
    for key in [key for key in rows if key.sort.startswith("E#")]:
        del rows[key]
    answer = deployment.api.request("GET", f"{path(run)}/events")
    assert answer.status == 410
    assert answer.error["message"] == f"The events of run {run['id']} are no longer kept."


def test_silence_is_kept_alive_and_asked_about_less_often() -> None:
    deployment, clock, run = started("Hello")
    clock.happenings = [(40, lambda: deployment.turn(run))]
    body = deployment.api.request("GET", f"{path(run)}/events").body
    assert body.count(KEEP_ALIVE) == 2
    assert clock.slept[0] == event_stream.POLL_SECONDS
    assert clock.slept[-1] == event_stream.QUIET_POLL_SECONDS
    quiet_from = clock.slept.index(event_stream.QUIET_POLL_SECONDS)
    assert sum(clock.slept[:quiet_from]) == pytest.approx(5, abs=0.1)


def test_polling_is_quick_again_once_something_happens() -> None:
    deployment, clock, run = started()
    clock.happenings = [(10, lambda: deployment.cancel(run)), (11, lambda: deployment.turn(run))]
    events = stream(deployment, run)
    assert order(events) == "run.created run.queued run.cancelling run.cancelled done"
    assert event_stream.QUIET_POLL_SECONDS in clock.slept
    assert clock.slept[-1] == event_stream.POLL_SECONDS


def test_a_run_that_never_ends_is_reported_as_stalled() -> None:
    deployment, _, run = started()
    events = stream(deployment, run)
    assert [event.name for event in events[-2:]] == ["error", "done"]
    assert run["id"] in events[-2].data["error"]["message"]


def test_a_stream_ends_when_its_journal_is_gone() -> None:
    """The run has ended and its thread was deleted, before the end was read."""
    deployment, clock, run = started("Hello")
    events = deployment.backend.runs.event_stream.follow(
        deployment.project, deployment.backend.runs.service.get(deployment.ref(run))
    )
    next(events)
    deployment.turn(run)
    partition = keys.in_run(deployment.ref(run))
    while not deployment.table.clear(partition, limit=25):
        pass
    began = clock.time()
    with pytest.raises(StreamStalledError):
        list(events)
    assert clock.time() - began < 2 * event_stream.KEEP_ALIVE_SECONDS


def test_stalled_is_raised_a_minute_after_the_deadline() -> None:
    deployment, clock, run = started()
    events = deployment.backend.runs.event_stream.follow(
        deployment.project, deployment.backend.runs.service.get(deployment.ref(run))
    )
    with pytest.raises(StreamStalledError):
        list(events)
    assert clock.now > run["expires_at"] + 59


class LaggingTable(FakeTable):
    """An eventually consistent read misses the rows in `hidden`, each once."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden: list[int] = []

    def query(self, *arguments: Any, consistent: bool = True, **members: Any) -> list[Row]:
        rows = super().query(*arguments, consistent=consistent, **members)
        if consistent or not self.hidden:
            return rows
        missing = self.hidden.pop(0)
        return [row for row in rows if row.key.sort != f"E#{missing:08d}"]


@pytest.mark.parametrize("hidden", [[0], [1], [2], [0, 0, 1, 1, 2]])
def test_a_record_that_has_not_arrived_yet_is_waited_for(hidden: list[int]) -> None:
    table = LaggingTable()
    deployment = Deployment(["Hello"], machine=False, table=table)
    run = deployment.run(stream=None)
    deployment.turn(run)
    table.hidden = [*hidden]
    events = stream(deployment, run)
    assert order(events) == f"{RUN_BEGINS} {MESSAGE_STEP} run.completed done"
    assert table.hidden == []


def test_a_reader_that_leaves_changes_nothing() -> None:
    deployment, clock, run = started("Hello")
    events: Iterator[StreamEvent | None] = deployment.backend.runs.event_stream.follow(
        deployment.project, deployment.backend.runs.service.get(deployment.ref(run))
    )
    first = next(events)
    assert first is not None
    assert first.name == "thread.run.created"
    del events
    deployment.turn(run)
    assert deployment.again(run)["status"] == "completed"
    assert clock.slept == []


CONTENT: Include = ["step_details.tool_calls[*].file_search.results[*].content"]


def test_what_a_search_found_is_streamed_only_to_those_who_ask_for_it() -> None:
    result = {"file_id": "file-1", "score": 1.0, "content": [{"type": "text", "text": "found"}]}
    call = {"id": "call_1", "type": "file_search", "file_search": {"results": [result]}}
    details = {"type": "tool_calls", "tool_calls": [call]}
    shown = details_to_api(details, [])
    assert "content" not in shown["tool_calls"][0]["file_search"]["results"][0]
    assert details_to_api(details, CONTENT) == details
    assert "content" in result, "what is stored is left as it is"
