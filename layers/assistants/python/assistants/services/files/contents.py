"""The bytes of files. No file is without its bytes, and no bytes outlive their file for long.

Bytes are written before the file's row. A note, written before the bytes, marks them as orphaned.
The transaction that writes the row deletes the note; bytes whose note comes due are deleted.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from assistants.domain.ids import FileId, ProjectId
from assistants.ports.blobs import Blobs
from assistants.ports.clock import Clock
from assistants.ports.table import ConflictError, Delete, Replace, Row, Save, Table
from assistants.services.storage import keys

ORPHAN_SECONDS = 3600  # four times as long as a Lambda function can run
_RETRY_SECONDS = 300


@dataclass(frozen=True)
class FileContents:
    table: Table
    blobs: Blobs
    detach: Callable[[ProjectId, FileId], None]
    clock: Clock

    @contextmanager
    def writing(self, project: ProjectId, file_id: FileId) -> Iterator[Delete]:
        """Guard the writing of a file's bytes. Yield the deletion of their note, to commit with the
        file's row. Delete the bytes again if the block raises.
        """
        note = self._note(project, file_id, ORPHAN_SECONDS)
        self.table.commit(Save(note))
        with ExitStack() as undo:
            undo.callback(self.delete_orphan, project, file_id)
            yield Delete(note.key, revision=note.revision, expected=True)
            undo.pop_all()

    def note_orphan(self, project: ProjectId, file_id: FileId) -> Save:
        """Return the write to commit with the deletion of a file's row. Then call `delete`."""
        return Save(self._note(project, file_id, _RETRY_SECONDS))

    def delete(self, project: ProjectId, file_id: FileId) -> None:
        """Delete the bytes of a deleted file, and detach it from all vector stores."""
        self.detach(project, file_id)
        self.blobs.delete([blob_name(project, file_id)])
        self.table.commit(Delete(keys.orphan_blob(project, file_id)))

    def delete_orphan(self, project: ProjectId, file_id: FileId) -> None:
        """Delete orphaned bytes, unless their file exists or someone has changed the note."""
        key = keys.orphan_blob(project, file_id)
        note, file = self.table.get(key, keys.file(project, file_id))
        if note is None:
            return
        if file is not None:
            self.table.commit(Delete(key))
            return
        try:  # afterwards no transaction can delete the note and write the file's row
            self.table.commit(Replace(note, note.changed({}, due_at=self._later(_RETRY_SECONDS))))
        except ConflictError:
            return
        self.delete(project, file_id)

    def _note(self, project: ProjectId, file_id: FileId, seconds: int) -> Row:
        return Row(keys.orphan_blob(project, file_id), {}, due_at=self._later(seconds))

    def _later(self, seconds: int) -> int:
        return int(self.clock.time()) + seconds


def blob_name(project: ProjectId, file_id: FileId) -> str:
    return f"files/{project}/{file_id}"
