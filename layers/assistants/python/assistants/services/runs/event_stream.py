"""The stream of a run's events: its journal as whole objects and deltas."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from assistants.domain import lifecycle
from assistants.domain.errors import GoneError
from assistants.domain.events import RUN_OBJECT, EventName, event_name
from assistants.domain.ids import ProjectId, RunRef, new_order
from assistants.domain.journal import Record, RunProjection
from assistants.domain.run import Run
from assistants.domain.run_step import Include, details_to_api
from assistants.ports.clock import Clock
from assistants.services.runs.journal import Journal
from assistants.services.runs.repository import GRACE_SECONDS
from assistants.services.runs.streams import OpenStreams, StreamLife

POLL_SECONDS = 0.02
QUIET_POLL_SECONDS = 0.2  # once nothing has happened for `_QUIET_AFTER_SECONDS`
KEEP_ALIVE_SECONDS = 15.0
_QUIET_AFTER_SECONDS = 5.0
_FINAL_EVENTS = frozenset(event_name(RUN_OBJECT, status) for status in lifecycle.TERMINAL)
_LAST_EVENTS = _FINAL_EVENTS | {event_name(RUN_OBJECT, "requires_action")}


@dataclass(frozen=True, slots=True)
class StreamEvent:
    """One event for the client. `number` counts the run's events from 1; `record` is the number
    of the journal record that holds it.
    """

    number: int
    record: int
    name: EventName
    data: dict[str, Any]


class StreamStalledError(Exception):
    """Raised when a journal has no end long after its run should have ended, or is gone."""


@dataclass(frozen=True)
class RunEventStream:
    journal: Journal
    streams: OpenStreams
    clock: Clock

    def follow(
        self, project: ProjectId, run: Run, *, after: int = -1, include: Include | None = None
    ) -> Iterator[StreamEvent | None]:
        """Yield the events of the journal's records after number `after`, until the run ends or
        waits for the client. Yield None when nothing has happened for `KEEP_ALIVE_SECONDS`.

        Raises `StreamStalledError` and `StreamEndedError`.
        """
        ref = RunRef(project, run.thread_id, run.id)
        life = StreamLife(self.streams, ref, new_order())
        return self._events(life, ref, run, lambda event: event.record > after, include or [])

    def resume(
        self, project: ProjectId, run: Run, *, last_event: int, include: Include | None = None
    ) -> Iterator[StreamEvent | None]:
        """Yield the events after number `last_event`, as `follow` does.

        Raises `GoneError` at once when the journal is no longer kept.
        """
        ref = RunRef(project, run.thread_id, run.id)
        if self.journal.tail(ref) < 0:
            raise GoneError(f"The events of run {run.id} are no longer kept.")
        order = new_order()
        if run.status not in lifecycle.TERMINAL:
            self.streams.add(ref, order)
        life = StreamLife(self.streams, ref, order)
        return self._events(life, ref, run, lambda event: event.number > last_event, include or [])

    def _events(
        self,
        life: StreamLife,
        ref: RunRef,
        run: Run,
        is_wanted: Callable[[StreamEvent], bool],
        include: Include,
    ) -> Iterator[StreamEvent | None]:
        """Read the journal from its beginning, because later events only name what changed."""
        counter = _EventCounter(RunProjection(run.model_dump(mode="json")))
        last_activity = kept_alive = self.clock.time()
        while True:
            records = self.journal.read(ref, counter.sequence, consistent=False)
            for event in counter.count(records):
                if wanted := is_wanted(event):
                    yield _with_include(event, include)
                if event.name in (_LAST_EVENTS if wanted else _FINAL_EVENTS):
                    return
            now = self.clock.time()
            if records:
                last_activity = kept_alive = now
            elif now - kept_alive >= KEEP_ALIVE_SECONDS:
                kept_alive = now
                self._check_kept(ref, counter.sequence)
                yield None
            life.check(now, last_activity)
            self._pause(run, now, last_activity)

    def _check_kept(self, ref: RunRef, known: int) -> None:
        """Raise `StreamStalledError` if the journal is gone: a thread can be deleted right after
        its run has ended, before this reader has seen the end.
        """
        if self.journal.tail(ref) < max(0, known - 1):
            raise StreamStalledError(ref.run_id)

    def _pause(self, run: Run, now: float, last_activity: float) -> None:
        if run.expires_at is not None and now > run.expires_at + 2 * GRACE_SECONDS:
            raise StreamStalledError(run.id)
        quiet = now - last_activity > _QUIET_AFTER_SECONDS
        self.clock.sleep(QUIET_POLL_SECONDS if quiet else POLL_SECONDS)


def _with_include(event: StreamEvent, include: Include) -> StreamEvent:
    """Return the event with the details that its client asked for."""
    data = event.data
    if "delta" in data and "step_details" in data["delta"]:
        details = details_to_api(data["delta"]["step_details"], include)
        return replace(event, data={**data, "delta": {"step_details": details}})
    if "step_details" in data:
        details = details_to_api(data["step_details"], include)
        return replace(event, data={**data, "step_details": details})
    return event


class _EventCounter:
    """Turn records into numbered events; `sequence` is the number of the next record."""

    def __init__(self, projection: RunProjection) -> None:
        self.sequence = 0
        self._projection = projection
        self._number = 0

    def count(self, records: Iterable[Record]) -> Iterator[StreamEvent]:
        for record in records:
            for event in record.events:
                self._number += 1
                data = self._projection.apply(event)
                yield StreamEvent(self._number, self.sequence, event.name, data)
            self.sequence += 1
