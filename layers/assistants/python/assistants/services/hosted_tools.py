"""The tools that run on the server: which of them this deployment has."""

from collections.abc import Sequence
from dataclasses import dataclass

from assistants.domain.errors import InvalidRequest, no_such
from assistants.domain.message import ImageFilePart, MessageCreate
from assistants.domain.tool import Tool, ToolResources


@dataclass(frozen=True)
class HostedTools:
    available: frozenset[str] = frozenset()

    def check_tools(self, tools: Sequence[Tool] | None) -> None:
        for position, tool in enumerate(tools or ()):
            if tool.type != "function":
                self._require(tool.type, f"tools[{position}].type")

    def check_resources(self, resources: ToolResources | None) -> None:
        for name in resources.model_fields_set if resources else ():
            if getattr(resources, name) is not None:
                self._require(name, f"tool_resources.{name}")

    def check_message(self, message: MessageCreate) -> None:
        for position, attachment in enumerate(message.attachments or ()):
            for tool in attachment.tools:
                self._require(tool.type, f"attachments[{position}].tools")
        for part in message.content if isinstance(message.content, list) else ():
            if isinstance(part, ImageFilePart):
                raise no_such("file", part.image_file.file_id)

    def _require(self, tool: str, param: str) -> None:
        if tool not in self.available:
            message = f"The tool '{tool}' is not available in this deployment."
            raise InvalidRequest(message, param=param, code="invalid_value")
