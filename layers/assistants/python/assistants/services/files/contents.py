"""The bytes of files: none is without its file for long, and no file is without its bytes.

Bytes are written first and the file's row last. A note tells beforehand that they are loose; the
transaction that writes the row takes the note away, and what keeps a note too long is removed.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from assistants.ports.blobs import Blobs
from assistants.ports.clock import Clock
from assistants.ports.table import Conflict, Delete, Replace, Row, Save, Store
from assistants.services.storage import keys
from assistants.services.vector_stores.detach import Detachments

LOOSE_SECONDS = 3600  # four times what any function may take
_AGAIN_SECONDS = 300


@dataclass(frozen=True)
class FileStorage:
    store: Store
    blobs: Blobs
    detachments: Detachments
    clock: Clock

    @contextmanager
    def writing(self, project: str, file_id: str) -> Iterator[Delete]:
        """Around the writing of a file's bytes. Yields what must be committed with the file's row;
        if anything is raised, the bytes are removed again.
        """
        note = self._note(project, file_id, LOOSE_SECONDS)
        self.store.commit(Save(note))
        with ExitStack() as undo:
            undo.callback(self.release, project, file_id)
            yield Delete(note.key, revision=note.revision, expected=True)
            undo.pop_all()

    def loosening(self, project: str, file_id: str) -> Save:
        """What must be committed with the deletion of a file's row; then call `discard`."""
        return Save(self._note(project, file_id, _AGAIN_SECONDS))

    def discard(self, project: str, file_id: str) -> None:
        """Remove the bytes of a file that is no more, and what vector stores have of it."""
        self.detachments.detach_everywhere(project, file_id)
        self.blobs.delete([blob_name(project, file_id)])
        self.store.commit(Delete(keys.loose_blob(project, file_id)))

    def release(self, project: str, file_id: str) -> None:
        """Remove loose bytes, unless their file exists or another has claimed them."""
        key = keys.loose_blob(project, file_id)
        note, file = self.store.get(key, keys.file(project, file_id))
        if note is None:
            return
        if file is not None:
            self.store.commit(Delete(key))
            return
        try:  # from here on no transaction can tie them to a row any more
            self.store.commit(Replace(note, note.changed({}, due_at=self._later(_AGAIN_SECONDS))))
        except Conflict:
            return
        self.discard(project, file_id)

    def _note(self, project: str, file_id: str, seconds: int) -> Row:
        return Row(keys.loose_blob(project, file_id), {}, due_at=self._later(seconds))

    def _later(self, seconds: int) -> int:
        return int(self.clock.time()) + seconds


def blob_name(project: str, file_id: str) -> str:
    return f"files/{project}/{file_id}"
