"""Wire the use cases of this folder over the ports."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from assistants import tokens
from assistants.domain.hosted_tool import HostedToolName
from assistants.ports.hosted_tool import HostedTool
from assistants.services.files.wiring import FileServices
from assistants.services.ports import Ports
from assistants.services.storage.background import in_background
from assistants.services.tools.availability import ToolAvailability
from assistants.services.tools.code_interpreter.repository import SandboxRepository
from assistants.services.tools.code_interpreter.sessions import NoSandboxes, SandboxSessions
from assistants.services.tools.code_interpreter.tool import CodeInterpreter
from assistants.services.tools.code_interpreter.warm_pool import WarmPool
from assistants.services.tools.file_search import FileSearch
from assistants.services.vector_stores.wiring import VectorStoreServices


@dataclass(frozen=True)
class ToolServices:
    """Build each part when it is first used."""

    ports: Ports
    files: FileServices
    vector_stores: VectorStoreServices

    @cached_property
    def hosted(self) -> Mapping[HostedToolName, HostedTool]:
        """The tools that run on the server, as far as this deployment has what they need."""
        here: dict[HostedToolName, HostedTool] = {}
        if self.ports.sandboxes is not None:
            sessions = self.sandbox_sessions
            here["code_interpreter"] = CodeInterpreter.of(
                sessions, self.files.service, in_background
            )
        if self.ports.index_queue is not None:
            here["file_search"] = self.file_search
        return here | dict(self.ports.tools)

    @cached_property
    def availability(self) -> ToolAvailability:
        return ToolAvailability(
            self.files.service, self.vector_stores.service, frozenset(self.hosted)
        )

    @cached_property
    def file_search(self) -> FileSearch:
        return FileSearch(self.vector_stores.search, tokens.count, in_background, self.ports.clock)

    @cached_property
    def sandbox_sessions(self) -> SandboxSessions:
        sandboxes = self.ports.sandboxes or NoSandboxes()
        repository = SandboxRepository(self.ports.table)
        return SandboxSessions(repository, sandboxes, self.warm_pool, self.ports.clock)

    @cached_property
    def warm_pool(self) -> WarmPool:
        size = self.ports.sandbox_spares if self.ports.sandboxes else 0
        sandboxes = self.ports.sandboxes or NoSandboxes()
        return WarmPool(self.ports.table, sandboxes, self.ports.clock, size)
