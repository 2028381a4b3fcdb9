"""Files of a vector store: attach, list, get, modify, detach and read them."""

from collections.abc import Sequence
from dataclasses import dataclass

from assistants.domain.errors import InvalidRequestError, NotFoundError, no_such
from assistants.domain.ids import FILE, EntryRef, FileId, ProjectId, VectorStoreId, check_id
from assistants.domain.page import Page
from assistants.domain.schema import Deleted
from assistants.domain.vector_store_file import (
    FileContentPage,
    TextContent,
    VectorStoreFile,
    VectorStoreFileCreate,
    VectorStoreFileCursor,
    VectorStoreFileModify,
)
from assistants.ports.blobs import BlobMissingError
from assistants.ports.table import ConflictError, Replace, Table, Write
from assistants.services.files.service import Files, no_such_file
from assistants.services.storage import keys
from assistants.services.storage.pagination import page_of_rows
from assistants.services.vector_stores.attach import FileAttacher
from assistants.services.vector_stores.detach import FileDetacher
from assistants.services.vector_stores.file_repository import StoreFile
from assistants.services.vector_stores.index_attributes import IndexAttributeUpdates
from assistants.services.vector_stores.kept_texts import KeptTexts
from assistants.services.vector_stores.rows import check_store_id
from assistants.services.vector_stores.service import VectorStores


@dataclass(frozen=True)
class VectorStoreFiles:
    table: Table
    texts: KeptTexts
    files: Files
    stores: VectorStores
    attacher: FileAttacher
    detacher: FileDetacher
    attribute_updates: IndexAttributeUpdates

    def create(
        self, project: ProjectId, vector_store_id: VectorStoreId, body: VectorStoreFileCreate
    ) -> VectorStoreFile:
        """Attach a file. Return one that is there already as it is, unless its settings differ or
        it has failed: index it again then.
        """
        self.files.require_files(project, [body.file_id], "file_id")
        self.stores.admit(project, vector_store_id, [body.file_id])
        attached = self.attacher.attach(project, vector_store_id, [body])
        if not attached:
            raise no_such_file(body.file_id)
        return attached[0].to_api()

    def list(
        self,
        project: ProjectId,
        vector_store_id: VectorStoreId,
        cursor: VectorStoreFileCursor,
        batch_id: str | None = None,
    ) -> Page[VectorStoreFile]:
        """List all files of the store, or those of a batch. `cursor.filter` selects a status."""
        self.stores.require_store(project, vector_store_id)
        by_entry = self._by_entry(project, vector_store_id, cursor)
        partition = keys.in_store(project, vector_store_id)
        everything = batch_id is None and cursor.filter is None
        prefix = keys.STORE_FILES if everything else keys.status_index(batch_id, cursor.filter)
        rows, has_more = page_of_rows(self.table, partition, prefix, by_entry)
        if not everything:
            refs = (EntryRef(project, vector_store_id, row.body["entry_id"]) for row in rows)
            rows = [row for row in self.table.get(*map(keys.store_file, refs)) if row]
        files = [StoreFile.from_row(project, row).file.to_api() for row in rows]
        return Page.from_items(files, cursor, has_more=has_more)

    def get(
        self, project: ProjectId, vector_store_id: VectorStoreId, file_id: FileId
    ) -> VectorStoreFile:
        return self.find(project, vector_store_id, file_id).file.to_api()

    def modify(
        self,
        project: ProjectId,
        vector_store_id: VectorStoreId,
        file_id: FileId,
        body: VectorStoreFileModify,
    ) -> VectorStoreFile:
        """Replace the attributes, in the index too. Searches may find the old ones for seconds."""
        while True:
            found = self.find(project, vector_store_id, file_id)
            changed = found.file.model_copy(update={"attributes": body.attributes or {}})
            row = found.row.changed(changed.model_dump(mode="json"), due_at=found.row.due_at)
            searched = changed.status == "completed" and changed.chunks is not None
            notes: Sequence[Write] = (
                [self.attribute_updates.note(found.ref, row)] if searched else []
            )
            try:
                self.table.commit(Replace(found.row, row), *notes)
            except ConflictError:
                continue
            if searched:
                self.attribute_updates.apply(found.ref)
            return changed.to_api()

    def delete(
        self, project: ProjectId, vector_store_id: VectorStoreId, file_id: FileId
    ) -> Deleted:
        """Detach a file. The File itself is kept."""
        found = self.find(project, vector_store_id, file_id)
        if not self.detacher.detach(found.ref):
            raise _not_in_store(vector_store_id, file_id)
        return Deleted(id=file_id, object="vector_store.file.deleted")

    def content(
        self, project: ProjectId, vector_store_id: VectorStoreId, file_id: FileId
    ) -> FileContentPage:
        """Return the text that was extracted from the file, or no text before it is."""
        found = self.find(project, vector_store_id, file_id)
        try:
            text = self.texts.content(found.document)
        except BlobMissingError:
            return FileContentPage(data=[])
        return FileContentPage(data=[TextContent(text=text)])

    def find(
        self, project: ProjectId, vector_store_id: VectorStoreId, file_id: FileId
    ) -> StoreFile:
        """Return a file. Raises `NotFoundError` if the store, or the file in it, does not exist."""
        head, member = self.table.get(
            keys.vector_store(project, check_store_id(vector_store_id)),
            keys.membership(project, vector_store_id, check_id(file_id, FILE, "file_id")),
        )
        if head is None:
            raise no_such("vector store", vector_store_id)
        if member is not None:
            ref = EntryRef(project, vector_store_id, member.body["entry_id"])
            if (row := self.table.get(keys.store_file(ref))[0]) is not None:
                return StoreFile.from_row(project, row)
        raise _not_in_store(vector_store_id, file_id)

    def _by_entry(
        self, project: ProjectId, vector_store_id: VectorStoreId, cursor: VectorStoreFileCursor
    ) -> VectorStoreFileCursor:
        """Return the cursor with entry ids, by which a store's files sort, instead of file ids.

        Raises `InvalidRequestError` for a file that is not, and was not recently, in the store.
        """
        bounds = {
            name: file_id for name in ("after", "before") if (file_id := getattr(cursor, name))
        }
        entry_ids: dict[str, str] = {}
        for name, file_id in bounds.items():
            rows = self.table.get(
                keys.membership(project, vector_store_id, file_id),
                keys.tombstone(project, vector_store_id, file_id),
            )
            entry_id = next((row.body["entry_id"] for row in rows if row), None)
            if entry_id is None:
                message = f"Invalid '{name}': '{file_id}' is no file of this vector store."
                raise InvalidRequestError(message, param=name, code="invalid_value")
            entry_ids[name] = entry_id
        return cursor.model_copy(update=entry_ids)


def _not_in_store(vector_store_id: VectorStoreId, file_id: FileId) -> NotFoundError:
    return NotFoundError(f"No file found with id '{file_id}' in vector store '{vector_store_id}'.")
