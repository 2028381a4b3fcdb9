"""Files of a vector store: attach, list, get, change, detach, read."""

from collections.abc import Sequence
from dataclasses import dataclass

from assistants.domain.errors import InvalidRequestError, NotFoundError, no_such
from assistants.domain.ids import FILE, VECTOR_STORE, FileId, ProjectId, VectorStoreId, check_id
from assistants.domain.page import Page
from assistants.domain.schema import Deleted
from assistants.domain.vector_store_file import (
    FileContentPage,
    TextContent,
    VectorStoreFile,
    VectorStoreFileCreate,
    VectorStoreFileCursor,
    VectorStoreFileModify,
    shown,
)
from assistants.ports.blobs import BlobMissingError, Blobs
from assistants.ports.table import ConflictError, Key, Replace, Table, Write
from assistants.services.files.service import Files, no_such_file
from assistants.services.storage import keys
from assistants.services.storage.pagination import page_of_rows
from assistants.services.vector_stores.attach import FileAttacher
from assistants.services.vector_stores.detach import FileDetacher
from assistants.services.vector_stores.file_repository import StoreFile
from assistants.services.vector_stores.index_attributes import IndexAttributeUpdates
from assistants.services.vector_stores.indexing import text_blob
from assistants.services.vector_stores.service import VectorStores


@dataclass(frozen=True)
class StoreFiles:
    table: Table
    blobs: Blobs
    files: Files
    stores: VectorStores
    attacher: FileAttacher
    detacher: FileDetacher
    attribute_updates: IndexAttributeUpdates

    def create(
        self, project: ProjectId, vector_store_id: VectorStoreId, body: VectorStoreFileCreate
    ) -> VectorStoreFile:
        """A file that is there already is answered as it is, unless something else is asked for
        or it has failed: then it is indexed anew.
        """
        self.files.require(project, [body.file_id], "file_id")
        self.stores.admit(project, vector_store_id, [body.file_id])
        joined = self.attacher.add(project, vector_store_id, [body])
        if not joined:
            raise no_such_file(body.file_id)
        return shown(joined[0])

    def list(
        self,
        project: ProjectId,
        vector_store_id: VectorStoreId,
        cursor: VectorStoreFileCursor,
        batch_id: str | None = None,
    ) -> Page[VectorStoreFile]:
        """All files of the store, or those of a batch; `filter` narrows both to a status."""
        self.stores.require(project, vector_store_id)
        placed = self._placed(project, vector_store_id, cursor)
        partition = keys.in_store(project, vector_store_id)
        everything = batch_id is None and cursor.filter is None
        view = keys.STORE_FILES if everything else keys.status_index(batch_id, cursor.filter)
        rows, has_more = page_of_rows(self.table, partition, view, placed)
        if not everything:
            found = [row.body["attachment"] for row in rows]
            places = [keys.store_file(project, vector_store_id, one) for one in found]
            rows = [row for row in self.table.get(*places) if row]
        files = [shown(StoreFile.of(project, row).file) for row in rows]
        return Page.of(files, cursor, has_more=has_more)

    def get(
        self, project: ProjectId, vector_store_id: VectorStoreId, file_id: FileId
    ) -> VectorStoreFile:
        return shown(self.find(project, vector_store_id, file_id).file)

    def modify(
        self,
        project: ProjectId,
        vector_store_id: VectorStoreId,
        file_id: FileId,
        body: VectorStoreFileModify,
    ) -> VectorStoreFile:
        """Its attributes. The index has them when this returns; its searches show a write soon."""
        while True:
            found = self.find(project, vector_store_id, file_id)
            changed = found.file.model_copy(update={"attributes": body.attributes or {}})
            row = found.row.changed(changed.model_dump(mode="json"), due_at=found.row.due_at)
            searched = changed.status == "completed" and changed.chunks is not None
            notes: Sequence[Write] = [self.attribute_updates.note(found, row)] if searched else []
            try:
                self.table.commit(Replace(found.row, row), *notes)
            except ConflictError:
                continue
            if searched:
                self.attribute_updates.work(project, vector_store_id, found.attachment)
            return shown(changed)

    def delete(
        self, project: ProjectId, vector_store_id: VectorStoreId, file_id: FileId
    ) -> Deleted:
        """The File itself stays."""
        found = self.find(project, vector_store_id, file_id)
        if not self.detacher.detach(project, vector_store_id, found.attachment):
            raise _not_in_store(vector_store_id, file_id)
        return Deleted(id=file_id, object="vector_store.file.deleted")

    def content(
        self, project: ProjectId, vector_store_id: VectorStoreId, file_id: FileId
    ) -> FileContentPage:
        """The text that was read from the file; nothing, as long as there is none."""
        found = self.find(project, vector_store_id, file_id)
        try:
            pieces = self.blobs.read(text_blob(found.document))
        except BlobMissingError:
            return FileContentPage(data=[])
        return FileContentPage(data=[TextContent(text=b"".join(pieces).decode())])

    def find(
        self, project: ProjectId, vector_store_id: VectorStoreId, file_id: FileId
    ) -> StoreFile:
        """Raises `NotFoundError` for a store, or a file in it, that does not exist."""
        head, stay = self.table.get(
            keys.vector_store(project, check_id(vector_store_id, VECTOR_STORE, "vector_store_id")),
            keys.membership(project, vector_store_id, check_id(file_id, FILE, "file_id")),
        )
        if head is None:
            raise no_such("vector store", vector_store_id)
        if stay is not None:
            key = keys.store_file(project, vector_store_id, stay.body["attachment"])
            if (row := self.table.get(key)[0]) is not None:
                return StoreFile.of(project, row)
        raise _not_in_store(vector_store_id, file_id)

    def _placed(
        self, project: ProjectId, vector_store_id: VectorStoreId, cursor: VectorStoreFileCursor
    ) -> VectorStoreFileCursor:
        """The same cursor by the places of files in this store, instead of by their ids."""
        named = {
            name: file_id for name in ("after", "before") if (file_id := getattr(cursor, name))
        }
        places: dict[str, str] = {}
        for name, file_id in named.items():
            rows = self.table.get(*_stays(project, vector_store_id, file_id))
            place = next((row.body["attachment"] for row in rows if row), None)
            if place is None:
                message = f"Invalid '{name}': '{file_id}' is no file of this vector store."
                raise InvalidRequestError(message, param=name, code="invalid_value")
            places[name] = place
        return cursor.model_copy(update=places)


def _stays(project: ProjectId, vector_store_id: VectorStoreId, file_id: FileId) -> tuple[Key, Key]:
    return (
        keys.membership(project, vector_store_id, file_id),
        keys.tombstone(project, vector_store_id, file_id),
    )


def _not_in_store(vector_store_id: VectorStoreId, file_id: FileId) -> NotFoundError:
    return NotFoundError(f"No file found with id '{file_id}' in vector store '{vector_store_id}'.")
