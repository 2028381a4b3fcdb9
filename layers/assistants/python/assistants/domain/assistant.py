"""Assistants: a model with its instructions and tools."""

from typing import Annotated, Literal

from pydantic import Field

from assistants.domain.schema import (
    Description,
    Instructions,
    Metadata,
    Name,
    Object,
    Request,
    Temperature,
    TopP,
)
from assistants.domain.tool import (
    ReasoningEffort,
    ResponseFormat,
    ToolResources,
    ToolResourcesCreate,
    Tools,
)


class Assistant(Object):
    id: str
    object: Literal["assistant"] = "assistant"
    created_at: int
    name: str | None = None
    description: str | None = None
    model: str
    instructions: str | None = None
    tools: Tools = []
    tool_resources: ToolResources | None = None
    metadata: Metadata = {}
    temperature: float | None = 1.0
    top_p: float | None = 1.0
    response_format: ResponseFormat = "auto"
    reasoning_effort: ReasoningEffort | None = None


class _Members(Request):
    name: Name | None = None
    description: Description | None = None
    instructions: Instructions | None = None
    tools: Tools | None = None
    metadata: Metadata | None = None
    temperature: Temperature | None = None
    top_p: TopP | None = None
    response_format: ResponseFormat | None = None
    reasoning_effort: ReasoningEffort | None = None


ModelName = Annotated[str, Field(min_length=1, max_length=256)]


class AssistantCreate(_Members):
    model: ModelName
    tool_resources: ToolResourcesCreate | None = None


class AssistantModify(_Members):
    model: ModelName | None = None
    tool_resources: ToolResources | None = None
