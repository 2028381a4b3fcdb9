"""The queue of vector stores' entries that have to be indexed, or removed from the index."""

from typing import Protocol

from assistants.domain.ids import EntryRef


class IndexQueue(Protocol):
    def send(self, *entries: EntryRef) -> None:
        """Have a worker process these entries. The table holds what each of them needs."""
        ...
