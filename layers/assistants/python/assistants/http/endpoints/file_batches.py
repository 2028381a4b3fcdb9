"""/v1/vector_stores/{vector_store_id}/file_batches"""

from assistants.domain.file_batch import FileBatchCreate, VectorStoreFileBatch
from assistants.domain.ids import FILE_BATCH, VectorStoreId
from assistants.domain.page import Page
from assistants.domain.vector_store_file import VectorStoreFile, VectorStoreFileCursor
from assistants.http.call import Call
from assistants.http.endpoints.vector_stores import searching


def create(call: Call, body: FileBatchCreate) -> VectorStoreFileBatch:
    batches, project = call.backend.vector_stores.file_batches, searching(call)
    vector_store_id = call.vector_store_id
    return batches.create(project, vector_store_id, body, call.new_id(FILE_BATCH))


def get(call: Call) -> VectorStoreFileBatch:
    return call.backend.vector_stores.file_batches.get(searching(call), *_ids(call))


def cancel(call: Call) -> VectorStoreFileBatch:
    return call.backend.vector_stores.file_batches.cancel(searching(call), *_ids(call))


def list_files(call: Call, query: VectorStoreFileCursor) -> Page[VectorStoreFile]:
    return call.backend.vector_stores.file_batches.list_files(searching(call), *_ids(call), query)


def _ids(call: Call) -> tuple[VectorStoreId, str]:
    return call.vector_store_id, call.path["batch_id"]
