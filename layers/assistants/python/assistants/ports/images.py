"""The images that messages refer to by the id of a file."""

from typing import Protocol

from assistants.domain.ids import FileId, ProjectId
from assistants.domain.image import Image


class Images(Protocol):
    def load(self, project: ProjectId, file_id: FileId) -> Image | None:
        """The image in a file, null when the project has no such file.

        Raises `InvalidImageError` for a file that is no image of a type and size that models take.
        """
        ...
