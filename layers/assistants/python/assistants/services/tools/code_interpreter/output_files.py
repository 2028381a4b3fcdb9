"""The output of code: the files it made and the images it showed become Files of the project."""

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

MAX_FILES = 20  # of one execution that are saved
_MAX_IMAGES = 20  # that a session reports of one execution
_EXTENSIONS = {"image/png": "png", "image/jpeg": "jpg"}


@dataclass(frozen=True)
class SavedOutputs:
    """The Files made of one execution's output.

    `files` are keyed by path, `images` are ids. `notes` say which output was not saved.
    `session_lost` says that the session ended before all of it was.
    """

    files: dict[str, OutputFile]
    images: tuple[FileId, ...]
    notes: tuple[str, ...]
    session_lost: bool


@dataclass(frozen=True)
class OutputSaver:
    files: Files
    clock: Clock

    def save(self, opened: OpenSession, use: ToolUse, execution: Execution) -> SavedOutputs:
        """Save an execution's output. Repeating it makes the same Files, and none twice."""
        export = _Export(self.files, int(self.clock.time()), opened, use)
        ids = list(islice(ids_after(use.id, FILE), _MAX_IMAGES + len(execution.files)))
        images = execution.images[:_MAX_IMAGES]
        saved_images = [
            export.image(id, number, image)
            for number, (id, image) in enumerate(zip(ids, images, strict=False))
        ]
        made = dict(zip(execution.files, ids[_MAX_IMAGES:], strict=True))
        files = dict(export.unchanged(made, opened.loaded.sandbox))
        new = {file: id for file, id in made.items() if file.path not in files}
        for file, id in list(new.items())[:MAX_FILES]:
            if saved := export.file(id, file):
                files[file.path] = saved
        if len(new) > MAX_FILES:
            export.notes.append(
                f"{len(new) - MAX_FILES} more files were not kept: at most {MAX_FILES} are, of one "
                "execution. Pack them into one archive."
            )
        present = tuple(filter(None, saved_images))
        return SavedOutputs(files, present, tuple(export.notes), export.session_lost)


class _Export:
    """The transfer of one execution's output, with notes on what could not be saved."""

    def __init__(self, files: Files, now: int, opened: OpenSession, use: ToolUse) -> None:
        self.notes: list[str] = []
        self.session_lost = False
        self._files = files
        self._now = now
        self._session = opened.session
        self._use = use

    def image(self, id: FileId, number: int, image: MadeImage) -> FileId | None:
        file = self._file(id, f"{id}.{_EXTENSIONS[image.mime_type]}", image.mime_type, image.size)
        saved = self._save(
            file,
            lambda blob: self._session.take_image(self._use.id, number, blob),
            f"Image {number + 1}",
        )
        return id if saved else None

    def file(self, id: FileId, made: MadeFile) -> OutputFile | None:
        if made.size > MAX_FILE_BYTES:
            self.notes.append(f"{made.path} was not kept: it has more than 512 MiB.")
            return None
        name = made.path.rpartition("/")[2]
        file = self._file(id, name, mime_type_of(name), made.size)
        saved = self._save(file, lambda blob: self._session.take(made.path, blob), made.path)
        return OutputFile(file_id=id, sha256=made.sha256) if saved else None

    def _save(self, file: StoredFile, fill: Callable[[str], int], label: str) -> bool:
        """Save one file; return whether it was. A lost session is not asked again."""
        if not self.session_lost:
            try:
                self._files.write_with(self._use.project, file, fill)
            except SandboxRefusedError as refused:
                self.notes.append(f"{label} could not be kept: {refused.code}.")
                return False
            except SandboxLostError:
                self.session_lost = True
        if self.session_lost:
            self.notes.append(f"{label} could not be kept: the session has ended.")
        return not self.session_lost

    def unchanged(
        self, made: dict[MadeFile, FileId], sandbox: ThreadSandbox
    ) -> Iterator[tuple[str, OutputFile]]:
        """Yield the earlier Files whose content code wrote again, if they still exist."""
        same = {
            file.path: before
            for file in made
            if (before := sandbox.outputs.get(file.path)) and file.sha256
            if before.sha256 == file.sha256
        }
        if same:
            existing = self._files.find(self._use.project, [file.file_id for file in same.values()])
            yield from ((path, file) for path, file in same.items() if file.file_id in existing)

    def _file(self, id: FileId, name: str, mime_type: str, size: int) -> StoredFile:
        return StoredFile(
            id=id,
            bytes=size,
            created_at=self._now,
            filename=name,
            purpose="assistants_output",
            mime_type=mime_type,
        )
