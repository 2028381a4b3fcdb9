"""Images that messages refer to by file id."""

from typing import Protocol

from assistants.domain.ids import FileId, ProjectId
from assistants.domain.image import Image


class Images(Protocol):
    def load(self, project: ProjectId, file_id: FileId) -> Image | None:
        """Return the image in a file, or None when the project has no such file.

        Raises `InvalidImageError` unless the file is an image of a type and size that models take.
        """
        ...
