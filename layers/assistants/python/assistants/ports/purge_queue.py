"""The queue of deleted objects whose remains are to be removed."""

from typing import Protocol

from assistants.domain.ids import ProjectId


class PurgeQueue(Protocol):
    def send(self, project: ProjectId, identifier: str) -> None:
        """Ask for the rest of a deleted thread or vector store to be removed."""
        ...
