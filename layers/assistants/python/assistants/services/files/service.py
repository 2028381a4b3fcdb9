"""Files: create, list, get, delete, read, and their expiry."""

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
        """Raises `InvalidRequestError` for an empty file."""
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
        return self.keep(project, file, pieces)

    def keep(self, project: ProjectId, file: StoredFile, pieces: Iterable[bytes]) -> File:
        """Write a file and its bytes; the same file that was written before is left as it is."""
        return self.adopt(project, file, lambda name: self.contents.blobs.write(name, pieces))

    def adopt(self, project: ProjectId, file: StoredFile, fill: Callable[[str], int]) -> File:
        """Write a file whose bytes `fill` brings to the blob of that name, and returns how many."""
        with self.contents.writing(project, file.id) as untied:
            size = fill(blob_name(project, file.id))
            written = file.model_copy(update={"bytes": size})
            try:
                self.table.commit(*creation(project, written), untied)
            except ConflictError as conflict:
                if 0 not in conflict.failed:
                    raise
                self.contents.release(project, file.id)
                return self.get(project, file.id)
        return shown(written)

    def list(self, project: ProjectId, cursor: FileCursor) -> Page[File]:
        partition = keys.files(project, cursor.purpose)
        found = page(self.table, partition, "", cursor, _load)
        living = [one for one in found.data if self._lives(one)]
        return Page.of(living, cursor, has_more=found.has_more)

    def get(self, project: ProjectId, file_id: FileId) -> File:
        return _load(self._row(project, file_id))

    def find(self, project: ProjectId, file_ids: Iterable[FileId]) -> dict[FileId, StoredFile]:
        """Those of the files that exist, by id."""
        ids = list(dict.fromkeys(file_ids))
        rows = self.table.get(*(keys.file(project, file_id) for file_id in ids))
        files = [StoredFile.model_validate(row.body) for row in rows if row]
        return {file.id: file for file in files if self._lives(file)}

    def require(self, project: ProjectId, file_ids: Iterable[str], param: str) -> None:
        """Raises `NotFoundError` for a file that does not exist, `InvalidRequestError` for no
        file's id.
        """
        ids = [check_id(file_id, FILE, param) for file_id in file_ids]
        found = self.find(project, ids)
        for file_id in ids:
            if file_id not in found:
                raise no_such_file(file_id)

    def delete(self, project: ProjectId, file_id: FileId) -> Deleted:
        """Its bytes are gone with it, and it leaves all vector stores."""
        self._delete(project, self._row(project, file_id))
        return Deleted(id=file_id, object="file")

    def downloadable(self, project: ProjectId, file_id: FileId) -> StoredFile:
        """Raises `InvalidRequestError` for a file whose purpose keeps it here."""
        file = StoredFile.model_validate(self._row(project, file_id).body)
        if file.purpose in KEPT_FROM_DOWNLOAD:
            raise InvalidRequestError(f"Not allowed to download files of purpose: {file.purpose}")
        return file

    def read(self, project: ProjectId, file: File) -> Iterator[bytes]:
        return self.contents.blobs.read(blob_name(project, file.id))

    def link(self, project: ProjectId, file: StoredFile) -> str:
        """A URL that anybody may get the file from in the next five minutes."""
        return self.contents.blobs.download_url(
            blob_name(project, file.id),
            filename=file.filename,
            mime_type=file.mime_type,
            seconds=LINK_SECONDS,
        )

    def expire(self, project: ProjectId, key: Key) -> None:
        """Delete the file in this row, if its time has come."""
        [row] = self.table.get(key)
        if row is not None and not self._lives(_load(row)):
            self._delete(project, row)

    def _delete(self, project: ProjectId, row: Row) -> None:
        file = _load(row)
        try:
            self.table.commit(
                Delete(row.key, expected=True),
                Delete(keys.file(project, file.id, file.purpose)),
                self.contents.loosening(project, file.id),
            )
        except ConflictError as conflict:
            raise no_such_file(file.id) from conflict
        self.contents.discard(project, file.id)

    def _row(self, project: ProjectId, file_id: FileId) -> Row:
        [row] = self.table.get(keys.file(project, check_id(file_id, FILE, "file_id")))
        if row is None or not self._lives(_load(row)):
            raise no_such_file(file_id)
        return row

    def _lives(self, file: File) -> bool:
        return file.expires_at is None or file.expires_at > self.clock.time()


def creation(project: ProjectId, file: StoredFile) -> list[Write]:
    """The rows of a new file."""
    body = file.model_dump(mode="json")
    key, copy = keys.file(project, file.id), keys.file(project, file.id, file.purpose)
    return [Create(Row(key, body, due_at=file.expires_at)), Create(Row(copy, body))]


def no_such_file(file_id: FileId) -> NotFoundError:
    return NotFoundError(f"No such File object: {file_id}", param="id")


def shown(file: StoredFile) -> File:
    return File.model_validate(file.model_dump())


def _load(row: Row) -> File:
    return File.model_validate(row.body)
