"""The queue of files of vector stores that are to be indexed, or removed from the index."""

from typing import Protocol


class IndexQueue(Protocol):
    def send(self, project: str, vector_store_id: str, *attachments: str) -> None:
        """Ask for these to be looked at. What is to be done with each is in the table."""
        ...
