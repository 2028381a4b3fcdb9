"""The input files of a run's code interpreter: their names in the session, and copying them."""

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

_LEASE_SECONDS = 300
_POLL_SECONDS = 0.5


@dataclass(frozen=True)
class InputFiles:
    """Files to copy, by name below /mnt/data; `notes` say why others are missing."""

    files: dict[str, StoredFile]
    notes: tuple[str, ...]


def select_input_files(run: RunSettings, found: Mapping[FileId, StoredFile]) -> InputFiles:
    """Name the run's files and leave out those beyond the limits; `found` are those that exist."""
    files = [found[file_id] for file_id in run.file_ids if file_id in found]
    selected = list(_within_limits(files))
    names = distinct([safe(file.filename) for file in selected])
    gone = [file_id for file_id in run.file_ids if file_id not in found]
    notes = [f"The file {file_id} has been deleted." for file_id in gone]
    if len(selected) < len(files):
        notes.append(
            f"{len(files) - len(selected)} files are not in /mnt/data: it takes {MAX_FILES} files "
            f"of {MAX_FILE_BYTES >> 20} MiB, and {MAX_BYTES >> 30} GiB in all."
        )
    return InputFiles(dict(zip(names, selected, strict=True)), tuple(notes))


def describe_input_files(run: RunSettings, found: Mapping[FileId, StoredFile]) -> str | None:
    """List the run's files for the model, so that it knows them before it writes code."""
    files = select_input_files(run, found).files
    if not files:
        return None
    lines = [f"- /mnt/data/{name} ({file.bytes:,} bytes)" for name, file in files.items()]
    return "\n".join(["The code interpreter has these files:", *lines])


@dataclass(frozen=True)
class CopiedInputs:
    """The input files that a session has now, by name, and notes on those it lacks."""

    loaded: LoadedSandbox
    file_ids: dict[str, FileId]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class InputCopier:
    repository: SandboxRepository
    files: Files
    clock: Clock

    def copy(self, opened: OpenSession, use: ToolUse, give_up: Callable[[], bool]) -> CopiedInputs:
        """Copy the files that the session lacks.

        The caller stores the new names with its next change of the row. Until then other calls of
        the run wait, so that no file changes while code that has begun reads it.

        Raises `SandboxLostError`, and `SandboxUnavailableError` when it gives up.
        """
        loaded = opened.loaded
        if not use.run.file_ids:
            return CopiedInputs(loaded, _present(loaded.sandbox), ())
        wanted = select_input_files(use.run, self.files.find(use.project, use.run.file_ids))
        first = opened.name not in loaded.sandbox.sent.values()
        while missing := _missing(wanted, loaded.sandbox):
            loaded, leased = self._lease(loaded, use)
            if leased:
                missing = _missing(wanted, loaded.sandbox)  # another call may have copied some
                break
            if give_up():
                raise SandboxUnavailableError("another call is copying files")
            self.clock.sleep(_POLL_SECONDS)
            loaded = self.repository.load(loaded.project, loaded.thread_id)
        notes = tuple(self._copy(opened, use.project, missing, give_up))
        copied = {name: file.id for name, file in missing.items()}
        file_ids = {**_present(loaded.sandbox), **copied}
        return CopiedInputs(loaded, file_ids, (*wanted.notes, *notes) if missing or first else ())

    def _lease(self, loaded: LoadedSandbox, use: ToolUse) -> tuple[LoadedSandbox, bool]:
        """Try to get the lease; return whether this call has it."""
        now = int(self.clock.time())
        own = CopyLease(run_id=use.run.id, call_id=use.id, until=now + _LEASE_SECONDS)

        def decide(sandbox: ThreadSandbox) -> ThreadSandbox:
            taken = sandbox.copy_lease is not None and sandbox.copy_lease.excludes(own, now)
            return sandbox if taken else sandbox.model_copy(update={"copy_lease": own})

        after = self.repository.change(loaded, decide)
        return after, after.sandbox.copy_lease == own

    def _copy(
        self,
        opened: OpenSession,
        project: ProjectId,
        files: Mapping[str, StoredFile],
        give_up: Callable[[], bool],
    ) -> Iterator[str]:
        """Copy the files; yield a note for each that could not be."""
        for number, (name, file) in enumerate(files.items()):
            if number > 0 and give_up():
                raise SandboxUnavailableError("the files are not all copied")
            try:
                opened.session.put(name, blob_name(project, file.id), file.bytes)
            except BlobMissingError:
                yield f"The file {name} has been deleted."
            except SandboxRefusedError as refused:
                yield f"The file {name} could not be copied to /mnt/data: {refused.code}."


def _present(sandbox: ThreadSandbox) -> dict[str, FileId]:
    return sandbox.session.inputs if sandbox.session else {}


def _missing(wanted: InputFiles, sandbox: ThreadSandbox) -> dict[str, StoredFile]:
    present = _present(sandbox)
    return {name: file for name, file in wanted.files.items() if present.get(name) != file.id}


def _within_limits(files: Sequence[StoredFile]) -> Iterator[StoredFile]:
    room = MAX_BYTES
    for file in files[:MAX_FILES]:
        if file.bytes <= min(room, MAX_FILE_BYTES):
            room -= file.bytes
            yield file
