"""Threads: conversations."""

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
    """A thread and what is known of it but not shown: the vector stores that were made for it, and
    go with it.
    """

    own_store_ids: list[str] = []

    @property
    def resources(self) -> ToolResources:
        return ToolResources.model_validate(self.tool_resources)


class ThreadCreate(Request):
    messages: list[MessageCreate] | None = None
    tool_resources: ToolResourcesCreate | None = None
    metadata: Metadata | None = None


class ThreadModify(Request):
    tool_resources: ToolResources | None = None
    metadata: Metadata | None = None


def shown(thread: StoredThread) -> Thread:
    return Thread.model_validate(thread.model_dump(include=set(Thread.model_fields)))
