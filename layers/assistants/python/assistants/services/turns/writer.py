"""A worker's pen: it appends to the run's journal for as long as nobody takes it away."""

from collections.abc import Sequence

from assistants.domain.journal import Event, Record
from assistants.ports.table import ConflictError, Write
from assistants.services.runs.repository import LoadedRun, RunRepository


class InterruptedTurnError(Exception):
    """Raise when the run is to be ended: it was cancelled, or its time is over."""


class SupersededError(Exception):
    """Raise when another worker has opened the run: this one may not write any more."""


class TurnWriter:
    """`next` is the number that the next record will have if nobody else writes."""

    def __init__(self, repository: RunRepository, run: LoadedRun, author: str) -> None:
        self.author = author
        self.next = run.state.sequence + 1
        self._repository = repository
        self._ref = run.ref

    def append(self, events: tuple[Event, ...], writes: Sequence[Write]) -> None:
        """One atomic write of events and rows. Raises `InterruptedTurnError` or
        `SupersededError`.
        """
        record = Record(self.author, events)
        while True:
            create = self._repository.journal.entry(self._ref, self.next, record)
            try:
                self._repository.table.commit(create, *writes)
            except ConflictError:
                if self.look():
                    return  # it is our own: the answer to the first try was lost
            else:
                self.next += 1
                return

    def look(self) -> bool:
        """Read what was written since, and whether any of it is our own.

        Raises `InterruptedTurnError` or `SupersededError`.
        """
        own = False
        for record in self._repository.journal.read(self._ref, self.next):
            if record.author == self.author:
                own = True
            elif record.control == "interrupt":
                raise InterruptedTurnError
            elif record.control == "open":
                raise SupersededError
            self.next += 1
        return own
