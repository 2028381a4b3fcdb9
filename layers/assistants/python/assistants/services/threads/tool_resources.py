"""Tool resources as they are asked for, with what has to be made for them."""

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic.main import IncEx

from assistants.domain.hosted_tools.file_search import FILE_SEARCH
from assistants.domain.ids import VECTOR_STORE, ProjectId, ids_after
from assistants.domain.tool import (
    FileSearchResources,
    NewVectorStore,
    ToolResources,
    ToolResourcesCreate,
)
from assistants.domain.vector_store import VectorStoreCreate, VectorStoreExpiresAfter
from assistants.ports.table import Write
from assistants.services.tools.availability import ToolAvailability
from assistants.services.vector_stores.service import NewStore, VectorStores


@dataclass(frozen=True)
class Provided:
    """Hold `resources` to keep in their owner, and `writes` to commit with it. Call `begin`
    afterwards, so that the first files join a new store.
    """

    resources: ToolResources | None = None
    store: NewStore | None = None

    @property
    def writes(self) -> Sequence[Write]:
        return self.store.writes if self.store else ()


@dataclass(frozen=True)
class ToolResourceProvisioner:
    tool_availability: ToolAvailability
    stores: VectorStores

    def provide(
        self,
        project: ProjectId,
        asked: ToolResourcesCreate | None,
        owner_id: str,
        expires_after: VectorStoreExpiresAfter | None = None,
    ) -> Provided:
        """Return the resources of a new assistant or thread; repeated for an `owner_id`, the same.

        Raises `NotFoundError` and `InvalidRequestError`.
        """
        if asked is None:
            return Provided()
        self.tool_availability.check_resources(project, asked)
        search = asked.file_search
        if search is None or not search.vector_stores:
            return Provided(_without(asked, {FILE_SEARCH.name: {"vector_stores"}}))
        body = _creation(search.vector_stores[0], expires_after)
        store = self.stores.new(project, body, next(ids_after(owner_id, VECTOR_STORE)))
        named = FileSearchResources(vector_store_ids=[store.id])
        others = _without(asked, {FILE_SEARCH.name})
        return Provided(others.model_copy(update={FILE_SEARCH.name: named}), store)

    def begin(self, project: ProjectId, provided: Provided) -> None:
        if provided.store is not None:
            self.stores.attach_first_files(project, provided.store)


def _without(asked: ToolResourcesCreate, members: IncEx) -> ToolResources:
    return ToolResources.model_validate(asked.model_dump(exclude=members, exclude_none=True))


def _creation(
    asked: NewVectorStore, expires_after: VectorStoreExpiresAfter | None
) -> VectorStoreCreate:
    members = {name: getattr(asked, name) for name in asked.model_fields_set}
    return VectorStoreCreate.model_construct(**members, expires_after=expires_after)
