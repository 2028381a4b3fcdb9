"""/v1/vector_stores/{vector_store_id}/files"""

from assistants.domain.ids import FileId, VectorStoreId
from assistants.domain.page import Page
from assistants.domain.schema import Deleted
from assistants.domain.vector_store_file import (
    FileContentPage,
    VectorStoreFile,
    VectorStoreFileCreate,
    VectorStoreFileCursor,
    VectorStoreFileModify,
)
from assistants.http.call import Call
from assistants.http.endpoints.vector_stores import searching


def create(call: Call, body: VectorStoreFileCreate) -> VectorStoreFile:
    files = call.backend.vector_stores.files
    return files.create(searching(call), call.vector_store_id, body)


def list_(call: Call, query: VectorStoreFileCursor) -> Page[VectorStoreFile]:
    return call.backend.vector_stores.files.list(searching(call), call.vector_store_id, query)


def get(call: Call) -> VectorStoreFile:
    return call.backend.vector_stores.files.get(searching(call), *_ids(call))


def modify(call: Call, body: VectorStoreFileModify) -> VectorStoreFile:
    return call.backend.vector_stores.files.modify(searching(call), *_ids(call), body)


def delete(call: Call) -> Deleted:
    return call.backend.vector_stores.files.delete(searching(call), *_ids(call))


def content(call: Call) -> FileContentPage:
    """Return the text that was extracted from the file."""
    return call.backend.vector_stores.files.content(searching(call), *_ids(call))


def _ids(call: Call) -> tuple[VectorStoreId, FileId]:
    return call.vector_store_id, call.file_id
