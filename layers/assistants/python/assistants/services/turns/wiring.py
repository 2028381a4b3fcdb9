"""Wire the use cases of this folder over the ports."""

from dataclasses import dataclass
from functools import cached_property

from assistants import tokens
from assistants.services.ports import Ports
from assistants.services.runs.wiring import RunServices
from assistants.services.turns.file_images import FileImages
from assistants.services.turns.history import History
from assistants.services.turns.prompts import Prompts
from assistants.services.turns.service import Turns
from assistants.services.turns.tool_calls import HostedCalls


@dataclass(frozen=True)
class TurnServices:
    """Build each part when it is first used."""

    ports: Ports
    runs: RunServices

    @cached_property
    def service(self) -> Turns:
        return Turns(
            repository=self.runs.repository,
            history=History(self.ports.table),
            prompts=self.prompts,
            model=self.ports.model,
            hosted_calls=self.tool_calls,
            termination=self.runs.termination,
            clock=self.ports.clock,
        )

    @cached_property
    def tool_calls(self) -> HostedCalls:
        tools = self.runs.threads.tools.hosted
        return HostedCalls(self.ports.table, self.runs.repository, tools, self.ports.clock)

    @cached_property
    def prompts(self) -> Prompts:
        tools = self.runs.threads.tools
        images = FileImages(tools.files.service)
        return Prompts(self.ports.table, self.ports.catalog, tools.hosted, images, tokens.count)
