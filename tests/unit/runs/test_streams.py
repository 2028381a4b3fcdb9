"""How long a stream lives whose client may have gone, and how many a run has at once."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from assistants.domain.ids import RunRef
from assistants.services.runs.event_stream import StreamEvent
from assistants.services.runs.streams import (
    CHECK_SECONDS,
    LONGEST_SECONDS,
    MOST,
    SILENT_SECONDS,
    StreamEndedError,
)
from assistants.services.storage import keys
from tests.support.deployment import Deployment, path
from tests.unit.runs.started_run import EventfulClock, started, stream

Stream = Iterator[StreamEvent | None]


def resumed(deployment: Deployment, run: dict[str, Any], last_event: int = 0) -> Stream:
    found = deployment.backend.runs.service.get(deployment.ref(run))
    relay = deployment.backend.runs.event_stream
    return relay.resume(deployment.project, found, last_event=last_event)


def followed(deployment: Deployment, run: dict[str, Any]) -> Stream:
    found = deployment.backend.runs.service.get(deployment.ref(run))
    return deployment.backend.runs.event_stream.follow(deployment.project, found)


def recorded(deployment: Deployment, ref: RunRef) -> int:
    return len(deployment.table.keys(keys.in_run(ref), keys.STREAMS, limit=100))


def goes_on(stream: Stream, clock: EventfulClock) -> bool:
    """Whether the stream still runs after it has looked for newer ones."""
    until = clock.now + 2 * CHECK_SECONDS
    try:
        while clock.now < until:
            next(stream)
    except StreamEndedError:
        return False
    return True


def test_the_first_stream_ends_once_as_many_newer_ones_follow_as_a_run_may_have() -> None:
    deployment, clock, run = started("Hello", run_ttl_seconds=840)
    streams = [followed(deployment, run)]
    for number in range(MOST):
        assert goes_on(streams[0], clock), number
        streams.append(resumed(deployment, run))
        assert goes_on(streams[-1], clock)
    assert not goes_on(streams[0], clock)
    assert all(goes_on(one, clock) for one in streams[1:])


def test_a_client_that_reconnects_again_and_again_keeps_the_newest_streams() -> None:
    deployment, clock, run = started("Hello", run_ttl_seconds=840)
    streams = [resumed(deployment, run) for _ in range(2 * MOST)]
    for one in streams:
        next(one)
    assert [goes_on(one, clock) for one in streams] == [False] * MOST + [True] * MOST


def test_a_stream_that_was_ended_goes_on_after_its_last_event() -> None:
    deployment, clock, run = started("Hello", run_ttl_seconds=840)
    broken = resumed(deployment, run)
    seen = [next(broken), next(broken)]
    for _ in range(MOST):
        resumed(deployment, run)
    assert not goes_on(broken, clock)
    deployment.turn(run)
    last = seen[-1]
    assert last is not None
    rest = [event for event in resumed(deployment, run, last.number) if event is not None]
    assert [event.number for event in rest] == [*range(last.number + 1, rest[-1].number + 1)]
    assert rest[-1].name == "thread.run.completed"


@pytest.mark.parametrize(
    ("silent", "seconds", "words"),
    [(True, SILENT_SECONDS, "5 minutes"), (False, LONGEST_SECONDS, "15 minutes")],
)
def test_a_stream_ends_in_words_that_say_how_to_go_on(
    silent: bool, seconds: float, words: str
) -> None:
    deployment, clock, run = started("Hello", run_ttl_seconds=840)
    if not silent:
        outlive(deployment, clock, run)
    began = clock.now
    *_, error, done = stream(deployment, run)
    assert (error.name, done.name) == ("error", "done")
    assert error.data["error"]["code"] == "stream_ended"
    assert words in error.data["error"]["message"]
    assert "Last-Event-ID" in error.data["error"]["message"]
    assert seconds <= clock.now - began < seconds + 1


def outlive(deployment: Deployment, clock: EventfulClock, run: dict[str, Any]) -> None:
    """Let something happen every four minutes."""

    def note(sequence: int) -> None:
        journal = deployment.backend.runs.journal
        record = journal.read(deployment.ref(run), 0)[-1]
        deployment.table.commit(journal.entry(deployment.ref(run), sequence, record))

    first = deployment.backend.runs.journal.tail(deployment.ref(run)) + 1
    clock.happenings = [(240 * number, partial(note, first + number - 1)) for number in range(1, 5)]


def test_a_run_with_one_stream_costs_no_call_more() -> None:
    deployment, _, run = started("Hello")
    told = followed(deployment, run)
    next(told)
    deployment.turn(run)
    list(told)
    assert recorded(deployment, deployment.ref(run)) == 0


def test_a_stream_of_a_run_that_has_ended_is_not_recorded() -> None:
    deployment, _, run = started("Hello")
    deployment.turn(run)
    stream(deployment, run)
    assert recorded(deployment, deployment.ref(run)) == 0


def test_records_of_streams_go_with_their_thread() -> None:
    deployment, _, run = started("Hello")
    resumed(deployment, run)
    assert recorded(deployment, deployment.ref(run)) == 1
    deployment.turn(run)
    deployment.api.delete(f"/threads/{run['thread_id']}")
    message = deployment.purge_queue.sent.pop()
    deployment.backend.maintenance.purge.work(*message, seconds=50)
    assert recorded(deployment, deployment.ref(run)) == 0
    assert deployment.api.request("GET", f"{path(run)}/events").status == 404
