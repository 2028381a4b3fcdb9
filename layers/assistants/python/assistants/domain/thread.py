"""Threads: conversations."""

from typing import Any, Literal

from assistants.domain.message import MessageCreate
from assistants.domain.schema import Metadata, Object, Request
from assistants.domain.tool import ToolResources


class Thread(Object):
    id: str
    object: Literal["thread"] = "thread"
    created_at: int
    tool_resources: ToolResources | dict[str, Any] = {}
    metadata: Metadata = {}


class ThreadCreate(Request):
    messages: list[MessageCreate] | None = None
    tool_resources: ToolResources | None = None
    metadata: Metadata | None = None


class ThreadModify(Request):
    tool_resources: ToolResources | None = None
    metadata: Metadata | None = None
