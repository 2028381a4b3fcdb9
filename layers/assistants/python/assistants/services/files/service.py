"""Files: create, list, get, delete, read, and their expiry."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from assistants.domain.errors import InvalidRequest, NotFound
from assistants.domain.file import (
    KEPT_FROM_DOWNLOAD,
    File,
    FileCreate,
    FileCursor,
    StoredFile,
    expiry,
)
from assistants.domain.ids import FILE, check_id
from assistants.domain.page import Page
from assistants.domain.schema import Deleted
from assistants.ports.blobs import PIECE_BYTES
from assistants.ports.clock import Clock
from assistants.ports.table import Conflict, Create, Delete, Key, Row, Store, Write
from assistants.services.files.contents import FileStorage, blob_name
from assistants.services.storage import keys
from assistants.services.storage.pagination import page

LINK_SECONDS = 300


@dataclass(frozen=True)
class Files:
    store: Store
    storage: FileStorage
    clock: Clock

    def create(self, project: str, body: FileCreate, file_id: str) -> File:
        """Raises `InvalidRequest` for an empty file."""
        content = body.file
        if content.size == 0:
            raise InvalidRequest("File is empty.", param="file", code="invalid_value")
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

    def keep(self, project: str, file: StoredFile, pieces: Iterable[bytes]) -> File:
        """Write a file and its bytes; the same file that was written before is left as it is."""
        return self.adopt(project, file, lambda name: self.storage.blobs.write(name, pieces))

    def adopt(self, project: str, file: StoredFile, fill: Callable[[str], int]) -> File:
        """Write a file whose bytes `fill` brings to the blob of that name, and returns how many."""
        with self.storage.writing(project, file.id) as untied:
            size = fill(blob_name(project, file.id))
            written = file.model_copy(update={"bytes": size})
            try:
                self.store.commit(*creation(project, written), untied)
            except Conflict as conflict:
                if 0 not in conflict.failed:
                    raise
                self.storage.release(project, file.id)
                return self.get(project, file.id)
        return shown(written)

    def list(self, project: str, cursor: FileCursor) -> Page[File]:
        partition = keys.files(project, cursor.purpose)
        found = page(self.store, partition, "", cursor, _load)
        living = [one for one in found.data if self._lives(one)]
        return Page.of(living, cursor, has_more=found.has_more)

    def get(self, project: str, file_id: str) -> File:
        return _load(self._row(project, file_id))

    def find(self, project: str, file_ids: Iterable[str]) -> dict[str, StoredFile]:
        """Those of the files that exist, by id."""
        ids = list(dict.fromkeys(file_ids))
        rows = self.store.get(*(keys.file(project, file_id) for file_id in ids))
        files = [StoredFile.model_validate(row.body) for row in rows if row]
        return {file.id: file for file in files if self._lives(file)}

    def require(self, project: str, file_ids: Iterable[str], param: str) -> None:
        """Raises `NotFound` for a file that does not exist, `InvalidRequest` for no file's id."""
        ids = [check_id(file_id, FILE, param) for file_id in file_ids]
        found = self.find(project, ids)
        for file_id in ids:
            if file_id not in found:
                raise no_such_file(file_id)

    def delete(self, project: str, file_id: str) -> Deleted:
        """Its bytes are gone with it, and it leaves all vector stores."""
        self._delete(project, self._row(project, file_id))
        return Deleted(id=file_id, object="file")

    def downloadable(self, project: str, file_id: str) -> StoredFile:
        """Raises `InvalidRequest` for a file whose purpose keeps it here."""
        file = StoredFile.model_validate(self._row(project, file_id).body)
        if file.purpose in KEPT_FROM_DOWNLOAD:
            raise InvalidRequest(f"Not allowed to download files of purpose: {file.purpose}")
        return file

    def read(self, project: str, file: File) -> Iterator[bytes]:
        return self.storage.blobs.read(blob_name(project, file.id))

    def link(self, project: str, file: StoredFile) -> str:
        """A URL that anybody may get the file from in the next five minutes."""
        return self.storage.blobs.download_url(
            blob_name(project, file.id),
            filename=file.filename,
            mime_type=file.mime_type,
            seconds=LINK_SECONDS,
        )

    def expire(self, project: str, key: Key) -> None:
        """Delete the file in this row, if its time has come."""
        [row] = self.store.get(key)
        if row is not None and not self._lives(_load(row)):
            self._delete(project, row)

    def _delete(self, project: str, row: Row) -> None:
        file = _load(row)
        try:
            self.store.commit(
                Delete(row.key, expected=True),
                Delete(keys.file(project, file.id, file.purpose)),
                self.storage.loosening(project, file.id),
            )
        except Conflict as conflict:
            raise no_such_file(file.id) from conflict
        self.storage.discard(project, file.id)

    def _row(self, project: str, file_id: str) -> Row:
        [row] = self.store.get(keys.file(project, check_id(file_id, FILE, "file_id")))
        if row is None or not self._lives(_load(row)):
            raise no_such_file(file_id)
        return row

    def _lives(self, file: File) -> bool:
        return file.expires_at is None or file.expires_at > self.clock.time()


def creation(project: str, file: StoredFile) -> list[Write]:
    """The rows of a new file."""
    body = file.model_dump(mode="json")
    key, copy = keys.file(project, file.id), keys.file(project, file.id, file.purpose)
    return [Create(Row(key, body, due_at=file.expires_at)), Create(Row(copy, body))]


def no_such_file(file_id: str) -> NotFound:
    return NotFound(f"No such File object: {file_id}", param="id")


def shown(file: StoredFile) -> File:
    return File.model_validate(file.model_dump())


def _load(row: Row) -> File:
    return File.model_validate(row.body)
