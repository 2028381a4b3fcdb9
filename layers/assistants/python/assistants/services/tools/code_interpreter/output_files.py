"""Files that code has made, and images that it has shown: they become Files of the project."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

from assistants.domain.file import StoredFile
from assistants.domain.formats import mime_type_of
from assistants.domain.ids import FILE, FileId, ids_after
from assistants.domain.sandbox import OutputFile, ThreadSandbox
from assistants.ports.clock import Clock
from assistants.ports.hosted_tool import ToolUse
from assistants.ports.sandbox import (
    MAX_FILE_BYTES,
    Execution,
    MadeFile,
    MadeImage,
    SandboxLostError,
    SandboxRefusedError,
)
from assistants.services.files.service import Files
from assistants.services.tools.code_interpreter.sessions import OpenSession

MAX_FILES = 20  # of one execution that are kept
_MAX_IMAGES = 20  # that a session reports of one execution
_EXTENSIONS = {"image/png": "png", "image/jpeg": "jpg"}


@dataclass(frozen=True)
class Kept:
    """`made` are Files by their paths, `images` their ids; `notes` tell what was not kept. The
    session may have been `lost` before all was.
    """

    made: dict[str, OutputFile]
    images: tuple[FileId, ...]
    notes: tuple[str, ...]
    lost: bool


@dataclass(frozen=True)
class SandboxOutputs:
    files: Files
    clock: Clock

    def keep(self, opened: OpenSession, use: ToolUse, execution: Execution) -> Kept:
        """Repeated for the same execution, it makes the same Files again, and none twice."""
        export = _Export(self.files, int(self.clock.time()), opened, use)
        ids = list(islice(ids_after(use.id, FILE), _MAX_IMAGES + len(execution.files)))
        images = execution.images[:_MAX_IMAGES]
        shown = [
            export.image(id, number, image)
            for number, (id, image) in enumerate(zip(ids, images, strict=False))
        ]
        found = dict(zip(execution.files, ids[_MAX_IMAGES:], strict=True))
        made = dict(export.known(found, opened.loaded.box))
        new = {file: id for file, id in found.items() if file.path not in made}
        for file, id in list(new.items())[:MAX_FILES]:
            if kept := export.file(id, file):
                made[file.path] = kept
        if len(new) > MAX_FILES:
            export.notes.append(
                f"{len(new) - MAX_FILES} more files were not kept: at most {MAX_FILES} are, of one "
                "execution. Pack them into one archive."
            )
        return Kept(made, tuple(filter(None, shown)), tuple(export.notes), export.lost)


class _Export:
    """One execution's, with what there is to say of it."""

    def __init__(self, files: Files, now: int, opened: OpenSession, use: ToolUse) -> None:
        self.notes: list[str] = []
        self.lost = False
        self._files = files
        self._now = now
        self._session = opened.session
        self._use = use

    def image(self, id: FileId, number: int, image: MadeImage) -> FileId | None:
        file = self._file(id, f"{id}.{_EXTENSIONS[image.mime_type]}", image.mime_type, image.size)
        adopted = self._adopted(
            file,
            lambda blob: self._session.take_image(self._use.id, number, blob),
            f"Image {number + 1}",
        )
        return id if adopted else None

    def file(self, id: FileId, made: MadeFile) -> OutputFile | None:
        if made.size > MAX_FILE_BYTES:
            self.notes.append(f"{made.path} was not kept: it has more than 512 MiB.")
            return None
        name = made.path.rpartition("/")[2]
        file = self._file(id, name, mime_type_of(name), made.size)
        adopted = self._adopted(file, lambda blob: self._session.take(made.path, blob), made.path)
        return OutputFile(file_id=id, sha256=made.sha256) if adopted else None

    def _adopted(self, file: StoredFile, fill: Callable[[str], int], what: str) -> bool:
        """Whether it is a File now. Of a session that is lost, nothing more is asked."""
        if not self.lost:
            try:
                self._files.write_with(self._use.project, file, fill)
            except SandboxRefusedError as refused:
                self.notes.append(f"{what} could not be kept: {refused.code}.")
                return False
            except SandboxLostError:
                self.lost = True
        if self.lost:
            self.notes.append(f"{what} could not be kept: the session has ended.")
        return not self.lost

    def known(
        self, found: dict[MadeFile, FileId], box: ThreadSandbox
    ) -> Iterator[tuple[str, OutputFile]]:
        """What has the content of the File that was made of it before, if that still exists."""
        same = {
            file.path: before
            for file in found
            if (before := box.outputs.get(file.path)) and file.sha256
            if before.sha256 == file.sha256
        }
        if same:
            there = self._files.find(self._use.project, [made.file_id for made in same.values()])
            yield from ((path, made) for path, made in same.items() if made.file_id in there)

    def _file(self, id: FileId, name: str, mime_type: str, size: int) -> StoredFile:
        return StoredFile(
            id=id,
            bytes=size,
            created_at=self._now,
            filename=name,
            purpose="assistants_output",
            mime_type=mime_type,
        )
