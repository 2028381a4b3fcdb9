"""A worker's pen: it appends to the run's journal for as long as nobody takes it away."""

from collections.abc import Sequence

from assistants.domain.journal import Event, Record
from assistants.ports.table import Conflict, Write
from assistants.services.runs.repository import LoadedRun, RunRecords


class Interrupted(Exception):
    """Raise when the run is to be ended: it was cancelled, or its time is over."""


class Superseded(Exception):
    """Raise when another worker has opened the run: this one may not write any more."""


class TurnJournal:
    """`next` is the number that the next record will have if nobody else writes."""

    def __init__(self, records: RunRecords, run: LoadedRun, author: str) -> None:
        self.author = author
        self.next = run.state.sequence + 1
        self._records = records
        self._project, self._run_id = run.project, run.settings.id

    def append(self, events: tuple[Event, ...], writes: Sequence[Write]) -> None:
        """One atomic write of events and rows. Raises `Interrupted` or `Superseded`."""
        record = Record(self.author, events)
        while True:
            create = self._records.journal.entry(self._project, self._run_id, self.next, record)
            try:
                self._records.store.commit(create, *writes)
            except Conflict:
                if self.look():
                    return  # it is our own: the answer to the first try was lost
            else:
                self.next += 1
                return

    def look(self) -> bool:
        """Read what was written since, and whether any of it is our own.

        Raises `Interrupted` or `Superseded`.
        """
        own = False
        for record in self._records.journal.read(self._project, self._run_id, self.next):
            if record.author == self.author:
                own = True
            elif record.control == "interrupt":
                raise Interrupted
            elif record.control == "open":
                raise Superseded
            self.next += 1
        return own
