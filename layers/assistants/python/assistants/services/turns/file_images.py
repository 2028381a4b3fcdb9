"""Images that messages refer to by the id of a file."""

from dataclasses import dataclass

from assistants.domain.ids import FileId, ProjectId
from assistants.domain.image import MAX_IMAGE_BYTES, Image, InvalidImageError
from assistants.services.files.service import Files


@dataclass(frozen=True)
class FileImages:
    files: Files

    def load(self, project: ProjectId, file_id: FileId) -> Image | None:
        """Load an image; None if its file does not exist.

        Raises `InvalidImageError`, before reading anything if the file is too large.
        """
        if (file := self.files.find(project, [file_id]).get(file_id)) is None:
            return None
        if file.bytes > MAX_IMAGE_BYTES:
            raise InvalidImageError(f"The image is larger than {MAX_IMAGE_BYTES // 2**20} MB")
        return Image.from_bytes(b"".join(self.files.read(project, file)))
