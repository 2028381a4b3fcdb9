"""Append to a run's journal while this worker owns the turn."""

from collections.abc import Sequence

from assistants.domain.journal import Event, Record
from assistants.ports.table import ConflictError, Write
from assistants.services.runs.repository import LoadedRun, RunRepository


class InterruptedTurnError(Exception):
    """Raised when the run is to be ended: it was cancelled, or has expired."""


class SupersededError(Exception):
    """Raised when another worker has opened the turn: this one may not write any more."""


class TurnWriter:
    """Write a turn's records. `next` is the number of the next, if nobody else writes one."""

    def __init__(self, repository: RunRepository, run: LoadedRun, author: str) -> None:
        self.author = author
        self.next = run.state.sequence + 1
        self._repository = repository
        self._ref = run.ref

    def append(self, events: tuple[Event, ...], writes: Sequence[Write]) -> None:
        """Write events and rows in one transaction. Raises `InterruptedTurnError` or
        `SupersededError`.
        """
        record = Record(self.author, events)
        while True:
            create = self._repository.journal.entry(self._ref, self.next, record)
            try:
                self._repository.table.commit(create, *writes)
            except ConflictError:
                if self.catch_up():
                    return  # it is our own: the answer to the first try was lost
            else:
                self.next += 1
                return

    def catch_up(self) -> bool:
        """Read the records since the last write; return whether any is our own.

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
