"""Files: create, list, get, delete, read and expire them."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from assistants.domain.errors import InvalidRequestError, NotFoundError
from assistants.domain.file import (
    KEPT_FROM_DOWNLOAD,
    File,
    FileCreate,
    FileCursor,
    StoredFile,
    expiry,
)
from assistants.domain.ids import FILE, FileId, ProjectId, check_id
from assistants.domain.page import Page
from assistants.domain.schema import Deleted
from assistants.ports.blobs import PIECE_BYTES
from assistants.ports.clock import Clock
from assistants.ports.table import ConflictError, Create, Delete, Key, Row, Table, Write
from assistants.services.files.contents import FileContents, blob_name
from assistants.services.storage import keys
from assistants.services.storage.pagination import page

LINK_SECONDS = 300


@dataclass(frozen=True)
class Files:
    table: Table
    contents: FileContents
    clock: Clock

    def create(self, project: ProjectId, body: FileCreate, file_id: FileId) -> File:
        """Create a file from a form. Raises `InvalidRequestError` if it is empty."""
        content = body.file
        if content.size == 0:
            raise InvalidRequestError("File is empty.", param="file", code="invalid_value")
        now = int(self.clock.time())
        file = StoredFile(
            id=file_id,
            bytes=content.size,
            created_at=now,
            expires_at=expiry(body.purpose, body.expires_after, now),
            filename=content.filename,
            purpose=body.purpose,
            mime_type=content.mime_type,
        )
        pieces = iter(lambda: content.stream.read(PIECE_BYTES), b"")
        return self.write(project, file, pieces)

    def write(self, project: ProjectId, file: StoredFile, pieces: Iterable[bytes]) -> File:
        """Write a file and its bytes. Leave a file that has been written under this id as it is."""
        return self.write_with(project, file, lambda name: self.contents.blobs.write(name, pieces))

    def write_with(self, project: ProjectId, file: StoredFile, fill: Callable[[str], int]) -> File:
        """Write a file. `fill` gets the name of the blob, writes the bytes to it and returns their
        number. Leave a file that has been written under this id as it is.
        """
        with self.contents.writing(project, file.id) as note_deletion:
            size = fill(blob_name(project, file.id))
            written = file.model_copy(update={"bytes": size})
            try:
                self.table.commit(*file_rows(project, written), note_deletion)
            except ConflictError as conflict:
                if 0 not in conflict.failed:
                    raise
                self.contents.delete_orphan(project, file.id)
                return self.get(project, file.id)
        return written.to_api()

    def list(self, project: ProjectId, cursor: FileCursor) -> Page[File]:
        partition = keys.files(project, cursor.purpose)
        found = page(self.table, partition, "", cursor, _load)
        live = [file for file in found.data if self._is_live(file)]
        return Page.from_items(live, cursor, has_more=found.has_more)

    def get(self, project: ProjectId, file_id: FileId) -> File:
        return _load(self._row(project, file_id))

    def find(self, project: ProjectId, file_ids: Iterable[FileId]) -> dict[FileId, StoredFile]:
        """Return the files that exist, by id."""
        ids = list(dict.fromkeys(file_ids))
        rows = self.table.get(*(keys.file(project, file_id) for file_id in ids))
        files = [StoredFile.model_validate(row.body) for row in rows if row]
        return {file.id: file for file in files if self._is_live(file)}

    def require_files(self, project: ProjectId, file_ids: Iterable[str], param: str) -> None:
        """Check that all of these files exist.

        Raises `NotFoundError` if one does not, `InvalidRequestError` for a malformed id.
        """
        ids = [check_id(file_id, FILE, param) for file_id in file_ids]
        found = self.find(project, ids)
        for file_id in ids:
            if file_id not in found:
                raise no_such_file(file_id)

    def delete(self, project: ProjectId, file_id: FileId) -> Deleted:
        """Delete a file and its bytes, and detach it from all vector stores."""
        self._delete(project, self._row(project, file_id))
        return Deleted(id=file_id, object="file")

    def downloadable(self, project: ProjectId, file_id: FileId) -> StoredFile:
        """Return a file. Raises `InvalidRequestError` if its purpose forbids downloads."""
        file = StoredFile.model_validate(self._row(project, file_id).body)
        if file.purpose in KEPT_FROM_DOWNLOAD:
            raise InvalidRequestError(f"Not allowed to download files of purpose: {file.purpose}")
        return file

    def read(self, project: ProjectId, file: File) -> Iterator[bytes]:
        return self.contents.blobs.read(blob_name(project, file.id))

    def link(self, project: ProjectId, file: StoredFile) -> str:
        """Return a URL from which anyone can download the file for the next five minutes."""
        return self.contents.blobs.download_url(
            blob_name(project, file.id),
            filename=file.filename,
            mime_type=file.mime_type,
            seconds=LINK_SECONDS,
        )

    def expire(self, project: ProjectId, key: Key) -> None:
        """Delete the file in this row if it has expired."""
        [row] = self.table.get(key)
        if row is not None and not self._is_live(_load(row)):
            self._delete(project, row)

    def _delete(self, project: ProjectId, row: Row) -> None:
        file = _load(row)
        try:
            self.table.commit(
                Delete(row.key, expected=True),
                Delete(keys.file(project, file.id, file.purpose)),
                self.contents.note_orphan(project, file.id),
            )
        except ConflictError as conflict:
            raise no_such_file(file.id) from conflict
        self.contents.delete(project, file.id)

    def _row(self, project: ProjectId, file_id: FileId) -> Row:
        [row] = self.table.get(keys.file(project, check_id(file_id, FILE, "file_id")))
        if row is None or not self._is_live(_load(row)):
            raise no_such_file(file_id)
        return row

    def _is_live(self, file: File) -> bool:
        return file.expires_at is None or file.expires_at > self.clock.time()


def file_rows(project: ProjectId, file: StoredFile) -> list[Write]:
    """Return the writes that create a file: its row, and the copy that is listed by purpose."""
    body = file.model_dump(mode="json")
    key, copy = keys.file(project, file.id), keys.file(project, file.id, file.purpose)
    return [Create(Row(key, body, due_at=file.expires_at)), Create(Row(copy, body))]


def no_such_file(file_id: FileId) -> NotFoundError:
    return NotFoundError(f"No such File object: {file_id}", param="id")


def _load(row: Row) -> File:
    return File.model_validate(row.body)
