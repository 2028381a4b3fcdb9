"""Threads: conversations of users with assistants."""

from typing import Any, Literal

from assistants.domain.ids import ThreadId
from assistants.domain.message import MessageCreate
from assistants.domain.schema import Metadata, Object, Request
from assistants.domain.tool import ToolResources, ToolResourcesCreate


class Thread(Object):
    id: ThreadId
    object: Literal["thread"] = "thread"
    created_at: int
    tool_resources: ToolResources | dict[str, Any] = {}
    metadata: Metadata = {}


class StoredThread(Thread):
    """A thread with the members that the API does not return: the vector stores that were created
    for it, and are deleted with it.
    """

    own_store_ids: list[str] = []

    @property
    def resources(self) -> ToolResources:
        return ToolResources.model_validate(self.tool_resources)

    def to_api(self) -> Thread:
        return Thread.model_validate(self.model_dump(include=set(Thread.model_fields)))


class ThreadCreate(Request):
    messages: list[MessageCreate] | None = None
    tool_resources: ToolResourcesCreate | None = None
    metadata: Metadata | None = None


class ThreadModify(Request):
    tool_resources: ToolResources | None = None
    metadata: Metadata | None = None
