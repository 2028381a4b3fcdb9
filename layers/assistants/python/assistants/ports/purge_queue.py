"""The queue of deleted objects whose dependent rows and blobs have to be removed."""

from typing import Protocol

from assistants.domain.ids import ProjectId


class PurgeQueue(Protocol):
    def send(self, project: ProjectId, identifier: str) -> None:
        """Have a worker remove what depends on a deleted thread or vector store, or continue to."""
        ...
