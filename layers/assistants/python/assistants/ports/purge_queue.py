"""The queue of what is to be removed behind a deleted object."""

from typing import Protocol

from assistants.domain.ids import ProjectId


class PurgeQueue(Protocol):
    def send(self, project: ProjectId, identifier: str) -> None:
        """Ask for (more of) what hung on a thread or vector store to be removed."""
        ...
