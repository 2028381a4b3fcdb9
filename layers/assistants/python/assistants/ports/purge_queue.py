"""The queue of what is to be removed behind a deleted object."""

from typing import Protocol


class PurgeQueue(Protocol):
    def send(self, project: str, thread_id: str) -> None:
        """Ask for (more of) a deleted thread's rows to be removed."""
        ...
