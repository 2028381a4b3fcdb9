"""The queue of files of vector stores that are to be indexed, or removed from the index."""

from typing import Protocol

from assistants.domain.ids import ProjectId, VectorStoreId


class IndexQueue(Protocol):
    def send(self, project: ProjectId, vector_store_id: VectorStoreId, *attachments: str) -> None:
        """Ask for these to be looked at. What is to be done with each is in the table."""
        ...
