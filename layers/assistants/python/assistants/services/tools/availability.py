"""Checks of a request: does the deployment have its tools, and do they take its files?"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from assistants.domain.errors import InvalidRequestError, no_such
from assistants.domain.formats import UNKNOWN, Use, mime_type_of, require_use
from assistants.domain.hosted_tools.code_interpreter import CODE_INTERPRETER
from assistants.domain.hosted_tools.registry import HOSTED_TOOLS
from assistants.domain.ids import FILE, FileId, ProjectId, check_id
from assistants.domain.message import ImageFilePart, MessageCreate
from assistants.domain.tool import FunctionTool, Tool, ToolResources
from assistants.services.files.service import Files
from assistants.services.vector_stores.service import VectorStores


@dataclass(frozen=True, slots=True)
class Reference:
    """A file that a request names for a use; `param` is the place in the request."""

    file_id: FileId
    use: Use
    param: str


@dataclass(frozen=True)
class ToolAvailability:
    files: Files
    stores: VectorStores
    available: frozenset[str] = frozenset()

    def check_tools(self, tools: Sequence[Tool] | None) -> None:
        """Raise `InvalidRequestError` for a tool that is missing or whose name is taken."""
        names = {tool.type for tool in tools or ()}
        for position, tool in enumerate(tools or ()):
            if not isinstance(tool, FunctionTool):
                self.require(tool.type, f"tools[{position}].type")
            elif tool.function.name in names:
                message = f"The function '{tool.function.name}' has the name of another tool."
                param = f"tools[{position}].function.name"
                raise InvalidRequestError(message, param=param, code="invalid_value")

    def check_resources(self, project: ProjectId, resources: ToolResources | None) -> None:
        """Check that the resources suit their tools, and exist.

        Raises `NotFoundError` and `InvalidRequestError`.
        """
        if resources is None:
            return
        for name in resources.model_fields_set:
            if getattr(resources, name) is not None:
                self.require(name, f"tool_resources.{name}")
        if resources.code_interpreter is not None:
            place = f"tool_resources.{CODE_INTERPRETER.name}.file_ids"
            ids = enumerate(resources.code_interpreter.file_ids)
            named = [Reference(id, "code", f"{place}[{n}]") for n, id in ids]
            self._check_files(project, named)
        if resources.file_search is not None:
            for vector_store_id in resources.file_search.vector_store_ids:
                self.stores.require_store(project, vector_store_id)

    def check_messages(
        self, project: ProjectId, messages: Sequence[MessageCreate], param: str = ""
    ) -> None:
        """Check the messages' files; `param` names the list of messages. One look-up serves all.

        Raises `NotFoundError` and `InvalidRequestError`.
        """
        named: list[Reference] = []
        for position, message in enumerate(messages):
            place = f"{param}[{position}]." if param else ""
            for number, attachment in enumerate(message.attachments or ()):
                for tool in attachment.tools:
                    self.require(tool.type, f"{place}attachments[{number}].tools")
            named += _attachments(message, place)
            named += _images(message, place)
        self._check_files(project, named)

    def _check_files(self, project: ProjectId, named: Sequence[Reference]) -> None:
        for reference in named:
            check_id(reference.file_id, FILE, reference.param)
        found = self.files.find(project, [reference.file_id for reference in named])
        for reference in named:
            if (file := found.get(reference.file_id)) is None:
                raise no_such("file", reference.file_id)
            # The bytes of an image show its type: its name need not, but may not contradict them.
            if reference.use != "vision" or mime_type_of(file.filename) != UNKNOWN:
                require_use(file.filename, reference.use, reference.param)

    def require(self, tool: str, param: str | None = None) -> None:
        """Raise `InvalidRequestError` for a tool that this deployment does not have."""
        if tool not in self.available:
            message = f"The tool '{tool}' is not available in this deployment."
            raise InvalidRequestError(message, param=param, code="invalid_value")


def _attachments(message: MessageCreate, place: str) -> Iterator[Reference]:
    for position, attachment in enumerate(message.attachments or ()):
        for tool in attachment.tools:
            if use := HOSTED_TOOLS[tool.type].takes_files_for:
                param = f"{place}attachments[{position}].file_id"
                yield Reference(attachment.file_id, use, param)


def _images(message: MessageCreate, place: str) -> Iterator[Reference]:
    for position, part in enumerate(message.content if isinstance(message.content, list) else ()):
        if isinstance(part, ImageFilePart):
            param = f"{place}content[{position}].image_file.file_id"
            yield Reference(part.image_file.file_id, "vision", param)
