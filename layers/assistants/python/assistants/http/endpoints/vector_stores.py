"""/v1/vector_stores"""

from assistants.domain.hosted_tools.file_search import FILE_SEARCH
from assistants.domain.ids import VECTOR_STORE, ProjectId
from assistants.domain.page import Cursor, Page
from assistants.domain.schema import Deleted
from assistants.domain.vector_store import VectorStore, VectorStoreCreate, VectorStoreModify
from assistants.domain.vector_store_search import SearchResultsPage, VectorStoreSearch
from assistants.http.call import Call


def create(call: Call, body: VectorStoreCreate) -> VectorStore:
    stores, project = call.backend.vector_stores.service, searching(call)
    return stores.create(project, body, call.new_id(VECTOR_STORE))


def list_(call: Call, query: Cursor) -> Page[VectorStore]:
    return call.backend.vector_stores.service.list(searching(call), query)


def get(call: Call) -> VectorStore:
    return call.backend.vector_stores.service.get(searching(call), call.vector_store_id)


def modify(call: Call, body: VectorStoreModify) -> VectorStore:
    stores = call.backend.vector_stores.service
    return stores.modify(searching(call), call.vector_store_id, body)


def delete(call: Call) -> Deleted:
    return call.backend.vector_stores.service.delete(searching(call), call.vector_store_id)


def search(call: Call, body: VectorStoreSearch) -> SearchResultsPage:
    return call.backend.vector_stores.search.search(searching(call), call.vector_store_id, body)


def searching(call: Call) -> ProjectId:
    """Return the caller's project. Raises `InvalidRequestError` if there is no file search."""
    call.backend.tools.availability.require(FILE_SEARCH.name)
    return call.project
