"""The files that a run gives its code interpreter: what they are called there, and copying them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from assistants.domain.file import StoredFile
from assistants.domain.file_names import distinct, safe
from assistants.domain.ids import FileId, ProjectId
from assistants.domain.run import RunSettings
from assistants.domain.sandbox import CopyLease, ThreadSandbox
from assistants.ports.blobs import BlobMissingError
from assistants.ports.clock import Clock
from assistants.ports.hosted_tool import ToolUse
from assistants.ports.sandbox import MAX_FILE_BYTES, SandboxRefusedError, SandboxUnavailableError
from assistants.services.files.contents import blob_name
from assistants.services.files.service import Files
from assistants.services.tools.code_interpreter.repository import LoadedSandbox, SandboxRepository
from assistants.services.tools.code_interpreter.sessions import OpenSession

MAX_FILES = 100
MAX_BYTES = 2 << 30

_FILLING_SECONDS = 300
_LOOK_SECONDS = 0.5


@dataclass(frozen=True)
class Provided:
    """The files that go into the session, by their names below /mnt/data, and why others do not."""

    files: dict[str, StoredFile]
    notes: tuple[str, ...]


def provided(run: RunSettings, found: Mapping[FileId, StoredFile]) -> Provided:
    """What of a run's files goes into its session; `found` are those that still exist, by id."""
    files = [found[file_id] for file_id in run.file_ids if file_id in found]
    kept = list(_within_limits(files))
    names = distinct([safe(file.filename) for file in kept])
    gone = [file_id for file_id in run.file_ids if file_id not in found]
    notes = [f"The file {file_id} has been deleted." for file_id in gone]
    if len(kept) < len(files):
        notes.append(
            f"{len(files) - len(kept)} files are not in /mnt/data: it takes {MAX_FILES} files of "
            f"{MAX_FILE_BYTES >> 20} MiB, and {MAX_BYTES >> 30} GiB in all."
        )
    return Provided(dict(zip(names, kept, strict=True)), tuple(notes))


def listing(run: RunSettings, found: Mapping[FileId, StoredFile]) -> str | None:
    """What the model is told of its files before it writes code, if there are any."""
    files = provided(run, found).files
    if not files:
        return None
    lines = [f"- /mnt/data/{name} ({file.bytes:,} bytes)" for name, file in files.items()]
    return "\n".join(["The code interpreter has these files:", *lines])


@dataclass(frozen=True)
class Filled:
    loaded: LoadedSandbox
    names: dict[str, str]  # what is there now: ids of Files by name
    notes: tuple[str, ...]


@dataclass(frozen=True)
class SandboxInputs:
    repository: SandboxRepository
    files: Files
    clock: Clock

    def fill(self, opened: OpenSession, use: ToolUse, give_up: Callable[[], bool]) -> Filled:
        """Copy what the session does not have yet. Whoever calls this notes the new names with the
        next change of the row; until then another call of the run waits, so that no file is
        replaced under the eyes of code that has begun.

        Raises `SandboxLostError`, and `SandboxUnavailableError` when it is given up.
        """
        loaded = opened.loaded
        if not use.run.file_ids:
            return Filled(loaded, _inputs(loaded.box), ())
        wanted = provided(use.run, self.files.find(use.project, use.run.file_ids))
        first = opened.name not in loaded.box.sent.values()
        while new := _missing(wanted, loaded.box):
            loaded, claimed = self._claim(loaded, use)
            if claimed:
                new = _missing(wanted, loaded.box)  # another may have copied them meanwhile
                break
            if give_up():
                raise SandboxUnavailableError("another call is copying files")
            self.clock.sleep(_LOOK_SECONDS)
            loaded = self.repository.load(loaded.project, loaded.thread_id)
        notes = tuple(self._copy(opened, use.project, new, give_up))
        names = {**_inputs(loaded.box), **{name: file.id for name, file in new.items()}}
        return Filled(loaded, names, (*wanted.notes, *notes) if new or first else ())

    def _claim(self, loaded: LoadedSandbox, use: ToolUse) -> tuple[LoadedSandbox, bool]:
        now = int(self.clock.time())
        mine = CopyLease(run_id=use.run.id, call_id=use.id, until=now + _FILLING_SECONDS)

        def decide(box: ThreadSandbox) -> ThreadSandbox:
            taken = box.filling is not None and box.filling.keeps_out(mine, now)
            return box if taken else box.model_copy(update={"filling": mine})

        after = self.repository.change(loaded, decide)
        return after, after.box.filling == mine

    def _copy(
        self,
        opened: OpenSession,
        project: ProjectId,
        files: Mapping[str, StoredFile],
        give_up: Callable[[], bool],
    ) -> Iterator[str]:
        for number, (name, file) in enumerate(files.items()):
            if number > 0 and give_up():
                raise SandboxUnavailableError("the files are not all copied")
            try:
                opened.session.put(name, blob_name(project, file.id), file.bytes)
            except BlobMissingError:
                yield f"The file {name} has been deleted."
            except SandboxRefusedError as refused:
                yield f"The file {name} could not be copied to /mnt/data: {refused.code}."


def _inputs(box: ThreadSandbox) -> dict[str, str]:
    return box.session.inputs if box.session else {}


def _missing(wanted: Provided, box: ThreadSandbox) -> dict[str, StoredFile]:
    there = _inputs(box)
    return {name: file for name, file in wanted.files.items() if there.get(name) != file.id}


def _within_limits(files: Sequence[StoredFile]) -> Iterator[StoredFile]:
    room = MAX_BYTES
    for file in files[:MAX_FILES]:
        if file.bytes <= min(room, MAX_FILE_BYTES):
            room -= file.bytes
            yield file
