"""A run told as it happens: the events of its journal, as whole objects and deltas."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from assistants.domain import lifecycle
from assistants.domain.errors import GoneError
from assistants.domain.ids import ProjectId, RunRef
from assistants.domain.journal import Record, RunProjection
from assistants.domain.run import Run
from assistants.domain.run_step import Include, shown_details
from assistants.ports.clock import Clock
from assistants.services.runs.journal import Journal
from assistants.services.runs.repository import GRACE_SECONDS

POLL_SECONDS = 0.02
QUIET_POLL_SECONDS = 0.2  # once nothing has happened for `_QUIET_AFTER_SECONDS`
KEEP_ALIVE_SECONDS = 15.0
_QUIET_AFTER_SECONDS = 5.0
_ENDS = frozenset(f"thread.run.{status}" for status in lifecycle.TERMINAL)
_LAST = _ENDS | {"thread.run.requires_action"}


@dataclass(frozen=True, slots=True)
class StreamEvent:
    """One event for the client. `number` counts the run's events from 1, `record` is the number
    of the journal's record that it came with.
    """

    number: int
    record: int
    name: str
    data: dict[str, Any]


class StreamStalledError(Exception):
    """Raise when a run's journal does not end, long after the run should have, or is gone."""


@dataclass(frozen=True)
class RunEventStream:
    journal: Journal
    clock: Clock

    def follow(
        self, project: ProjectId, run: Run, *, after: int = -1, include: Include | None = None
    ) -> Iterator[StreamEvent | None]:
        """The events of the journal's records behind number `after`, until the run ends or waits
        for the client; None when nothing has happened for a while. Raises `StreamStalledError`.
        """
        return self._tell(project, run, lambda told: told.record > after, include or [])

    def resume(
        self, project: ProjectId, run: Run, *, last_event: int, include: Include | None = None
    ) -> Iterator[StreamEvent | None]:
        """The events behind number `last_event`, of this run or of none of it so far.

        Raises `GoneError` at once when the journal is no longer kept.
        """
        if self.journal.tail(RunRef(project, run.thread_id, run.id)) < 0:
            raise GoneError(f"The events of run {run.id} are no longer kept.")
        return self._tell(project, run, lambda told: told.number > last_event, include or [])

    def _tell(
        self, project: ProjectId, run: Run, wanted: Callable[[StreamEvent], bool], include: Include
    ) -> Iterator[StreamEvent | None]:
        """The story is told from its beginning, because later events only name what changed."""
        teller = _EventCounter(RunProjection(run.model_dump(mode="json")))
        last_activity = kept_alive = self.clock.time()
        ref = RunRef(project, run.thread_id, run.id)
        while True:
            records = self.journal.read(ref, teller.sequence, consistent=False)
            for told in teller.tell(records):
                if new := wanted(told):
                    yield _shown(told, include)
                if told.name in (_LAST if new else _ENDS):
                    return
            now = self.clock.time()
            if records:
                last_activity = kept_alive = now
            elif now - kept_alive >= KEEP_ALIVE_SECONDS:
                kept_alive = now
                self._check_kept(ref, teller.sequence)
                yield None
            self._pause(run, now, last_activity)

    def _check_kept(self, ref: RunRef, known: int) -> None:
        """A thread can be deleted as soon as its run has ended, before that was noticed here."""
        if self.journal.tail(ref) < max(0, known - 1):
            raise StreamStalledError(ref.run_id)

    def _pause(self, run: Run, now: float, last_activity: float) -> None:
        if run.expires_at is not None and now > run.expires_at + 2 * GRACE_SECONDS:
            raise StreamStalledError(run.id)
        quiet = now - last_activity > _QUIET_AFTER_SECONDS
        self.clock.sleep(QUIET_POLL_SECONDS if quiet else POLL_SECONDS)


def _shown(told: StreamEvent, include: Include) -> StreamEvent:
    """The event as its client asked for it."""
    data = told.data
    if "delta" in data and "step_details" in data["delta"]:
        details = shown_details(data["delta"]["step_details"], include)
        return replace(told, data={**data, "delta": {"step_details": details}})
    if "step_details" in data:
        return replace(
            told, data={**data, "step_details": shown_details(data["step_details"], include)}
        )
    return told


class _EventCounter:
    """Takes in record after record and counts them; `sequence` is the number of the next."""

    def __init__(self, story: RunProjection) -> None:
        self.sequence = 0
        self._story = story
        self._number = 0

    def tell(self, records: Iterable[Record]) -> Iterator[StreamEvent]:
        for record in records:
            for event in record.events:
                self._number += 1
                data = self._story.tell(event)
                yield StreamEvent(self._number, self.sequence, event.name, data)
            self.sequence += 1
