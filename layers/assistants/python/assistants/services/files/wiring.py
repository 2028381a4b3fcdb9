"""Wire the use cases of this folder over the ports."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from assistants.domain.ids import FileId, ProjectId
from assistants.services.files.contents import FileContents
from assistants.services.files.service import Files
from assistants.services.files.upload_completion import UploadCompletion
from assistants.services.files.uploads import Uploads
from assistants.services.ports import Ports


@dataclass(frozen=True)
class FileServices:
    """Build each part when it is first used. `detach` detaches a deleted file from its stores."""

    ports: Ports
    detach: Callable[[ProjectId, FileId], None]

    @cached_property
    def contents(self) -> FileContents:
        ports = self.ports
        return FileContents(ports.table, ports.blobs, self.detach, ports.clock)

    @cached_property
    def service(self) -> Files:
        return Files(self.ports.table, self.contents, self.ports.clock)

    @cached_property
    def uploads(self) -> Uploads:
        return Uploads(self.ports.table, self.ports.blobs, self.ports.clock)

    @cached_property
    def upload_completion(self) -> UploadCompletion:
        ports = self.ports
        return UploadCompletion(ports.table, self.uploads, self.contents, ports.clock)
