"""Tools an assistant may use, the choice between them, and the format of what it answers."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union

from pydantic import Field, StringConstraints, model_validator

from assistants.domain.chunking import ChunkingStrategy
from assistants.domain.hosted_tools.registry import HOSTED_TOOLS
from assistants.domain.hosted_tools.spec import HostedToolEntry, HostedToolSpec
from assistants.domain.ids import FileId, VectorStoreId
from assistants.domain.schema import Metadata, Part
from assistants.domain.vector_store import MAX_FILES
from assistants.domain.vector_store_file import CheckedFileId

MAX_CODE_FILES = 20  # of one assistant or thread

# Type checkers cannot read the registry; pydantic reads from it what requests may name.
if TYPE_CHECKING:
    HostedToolName = str
    AttachableToolName = str
    AnyHostedTool = HostedToolEntry
else:
    HostedToolName = Literal[*HOSTED_TOOLS]
    AttachableToolName = Literal[
        *(name for name, spec in HOSTED_TOOLS.items() if spec.takes_files_for)
    ]
    AnyHostedTool = Union[*(spec.entry for spec in HOSTED_TOOLS.values())]

FunctionName = Annotated[str, StringConstraints(max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]


class FunctionDefinition(Part):
    name: FunctionName
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class FunctionTool(Part):
    type: Literal["function"]
    function: FunctionDefinition


Tool = Annotated[AnyHostedTool | FunctionTool, Field(discriminator="type")]
Tools = Annotated[list[Tool], Field(max_length=128)]


def specs_of(tools: Sequence[Tool]) -> list[HostedToolSpec]:
    """Return the specs of those tools that run on the server, each once, in the order of names."""
    names = {tool.type for tool in tools if not isinstance(tool, FunctionTool)}
    return [HOSTED_TOOLS[name] for name in sorted(names)]


def offered(tools: Sequence[Tool]) -> list[dict[str, Any]]:
    """Return the tools of an assistant in the form of chat completions."""
    return [
        tool.model_dump()
        if isinstance(tool, FunctionTool)
        else HOSTED_TOOLS[tool.type].to_function()
        for tool in tools
    ]


class FunctionChoice(Part):
    name: str


class NamedFunction(Part):
    type: Literal["function"]
    function: FunctionChoice


class NamedHostedTool(Part):
    type: HostedToolName


NamedToolChoice = NamedFunction | NamedHostedTool
ToolChoice = (
    Literal["none", "auto", "required"] | Annotated[NamedToolChoice, Field(discriminator="type")]
)


class JsonSchema(Part):
    name: FunctionName
    description: str | None = None
    schema_: dict[str, Any] | None = Field(default=None, alias="schema")
    strict: bool | None = None


class PlainFormat(Part):
    type: Literal["text", "json_object"]


class JsonSchemaFormat(Part):
    type: Literal["json_schema"]
    json_schema: JsonSchema


ResponseFormat = (
    Literal["auto"] | Annotated[PlainFormat | JsonSchemaFormat, Field(discriminator="type")]
)
ReasoningEffort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]


class CodeInterpreterResources(Part):
    file_ids: Annotated[list[FileId], Field(max_length=MAX_CODE_FILES)] = []


class FileSearchResources(Part):
    vector_store_ids: Annotated[list[VectorStoreId], Field(max_length=1)] = []


class ToolResources(Part):
    code_interpreter: CodeInterpreterResources | None = None
    file_search: FileSearchResources | None = None

    def replaced(self, other: "ToolResources") -> "ToolResources":
        """Return a copy with the resources of the tools that `other` names in place of its own."""
        named = {name: getattr(other, name) for name in other.model_fields_set}
        return self.model_copy(update={name: given for name, given in named.items() if given})


class NewVectorStore(Part):
    """A store that is made along with the assistant or thread that uses it."""

    file_ids: Annotated[list[CheckedFileId], Field(max_length=MAX_FILES)] = []
    chunking_strategy: ChunkingStrategy | None = None
    metadata: Metadata | None = None

    @model_validator(mode="after")
    def _chunks_of_files(self) -> "NewVectorStore":
        if self.chunking_strategy is not None and not self.file_ids:
            raise ValueError("chunking_strategy applies only where file_ids are given")
        return self


class FileSearchResourcesCreate(FileSearchResources):
    vector_stores: Annotated[list[NewVectorStore], Field(max_length=1)] = []

    @model_validator(mode="after")
    def _one_of_both(self) -> "FileSearchResourcesCreate":
        if self.vector_store_ids and self.vector_stores:
            raise ValueError("give either vector_store_ids or vector_stores")
        return self


class ToolResourcesCreate(ToolResources):
    file_search: FileSearchResourcesCreate | None = None
