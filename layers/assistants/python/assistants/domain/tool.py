"""Tools an assistant may use, the choice between them, and the format of what it answers."""

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, model_validator

from assistants.domain.chunking import ChunkingStrategy
from assistants.domain.ids import FileId, VectorStoreId
from assistants.domain.schema import Metadata, Part
from assistants.domain.vector_store import MAX_FILES
from assistants.domain.vector_store_file import CheckedFileId

MAX_CODE_FILES = 20  # of one assistant or thread

FunctionName = Annotated[str, StringConstraints(max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]


class FunctionDefinition(Part):
    name: FunctionName
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class FunctionTool(Part):
    type: Literal["function"]
    function: FunctionDefinition


class CodeInterpreterTool(Part):
    type: Literal["code_interpreter"]


class FileSearchRankingOptions(Part):
    score_threshold: Annotated[float, Field(ge=0, le=1)]
    ranker: Literal["auto", "default_2024_08_21"] = "auto"


class FileSearchOptions(Part):
    max_num_results: Annotated[int, Field(ge=1, le=50)] | None = None
    ranking_options: FileSearchRankingOptions | None = None


class FileSearchTool(Part):
    type: Literal["file_search"]
    file_search: FileSearchOptions | None = None


Tool = Annotated[CodeInterpreterTool | FileSearchTool | FunctionTool, Field(discriminator="type")]
Tools = Annotated[list[Tool], Field(max_length=128)]


class FunctionChoice(Part):
    name: str


class NamedFunction(Part):
    type: Literal["function"]
    function: FunctionChoice


class NamedHostedTool(Part):
    type: Literal["code_interpreter", "file_search"]


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
        """With the resources of the tools that `other` names in place of one's own."""
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
