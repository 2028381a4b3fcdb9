"""The bytes of files: none is without its file for long, and no file is without its bytes.

Bytes are written first and the file's row last. A note tells beforehand that they are loose; the
transaction that writes the row takes the note away, and what keeps a note too long is removed.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from assistants.domain.ids import FileId, ProjectId
from assistants.ports.blobs import Blobs
from assistants.ports.clock import Clock
from assistants.ports.table import ConflictError, Delete, Replace, Row, Save, Table
from assistants.services.storage import keys

LOOSE_SECONDS = 3600  # four times what any function may take
_AGAIN_SECONDS = 300


@dataclass(frozen=True)
class FileContents:
    table: Table
    blobs: Blobs
    detach: Callable[[ProjectId, FileId], None]
    clock: Clock

    @contextmanager
    def writing(self, project: ProjectId, file_id: FileId) -> Iterator[Delete]:
        """Around the writing of a file's bytes. Yields what must be committed with the file's row;
        if anything is raised, the bytes are removed again.
        """
        note = self._note(project, file_id, LOOSE_SECONDS)
        self.table.commit(Save(note))
        with ExitStack() as undo:
            undo.callback(self.release, project, file_id)
            yield Delete(note.key, revision=note.revision, expected=True)
            undo.pop_all()

    def loosening(self, project: ProjectId, file_id: FileId) -> Save:
        """What must be committed with the deletion of a file's row; then call `discard`."""
        return Save(self._note(project, file_id, _AGAIN_SECONDS))

    def discard(self, project: ProjectId, file_id: FileId) -> None:
        """Remove the bytes of a file that is no more, and what vector stores have of it."""
        self.detach(project, file_id)
        self.blobs.delete([blob_name(project, file_id)])
        self.table.commit(Delete(keys.orphan_blob(project, file_id)))

    def release(self, project: ProjectId, file_id: FileId) -> None:
        """Remove loose bytes, unless their file exists or another has claimed them."""
        key = keys.orphan_blob(project, file_id)
        note, file = self.table.get(key, keys.file(project, file_id))
        if note is None:
            return
        if file is not None:
            self.table.commit(Delete(key))
            return
        try:  # from here on no transaction can tie them to a row any more
            self.table.commit(Replace(note, note.changed({}, due_at=self._later(_AGAIN_SECONDS))))
        except ConflictError:
            return
        self.discard(project, file_id)

    def _note(self, project: ProjectId, file_id: FileId, seconds: int) -> Row:
        return Row(keys.orphan_blob(project, file_id), {}, due_at=self._later(seconds))

    def _later(self, seconds: int) -> int:
        return int(self.clock.time()) + seconds


def blob_name(project: ProjectId, file_id: FileId) -> str:
    return f"files/{project}/{file_id}"
