"""Wire the use cases of this folder over the ports."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from assistants import tokens
from assistants.domain.hosted_tools.code_interpreter import CODE_INTERPRETER
from assistants.domain.hosted_tools.file_search import FILE_SEARCH
from assistants.domain.tool import HostedToolName
from assistants.ports.hosted_tool import HostedTool
from assistants.services.files.wiring import FileServices
from assistants.services.ports import Ports
from assistants.services.storage.background import in_background
from assistants.services.tools.availability import ToolAvailability
from assistants.services.tools.code_interpreter.execution import CodeRunner
from assistants.services.tools.code_interpreter.input_files import InputCopier
from assistants.services.tools.code_interpreter.output_files import OutputSaver
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
        """Return the tools whose ports this deployment has; `Ports.tools` adds or replaces some."""
        here: dict[HostedToolName, HostedTool] = {}
        if self.ports.sandboxes is not None:
            here[CODE_INTERPRETER.name] = self.code_interpreter
        if self.ports.index_queue is not None:
            here[FILE_SEARCH.name] = self.file_search
        return here | dict(self.ports.tools)

    @cached_property
    def availability(self) -> ToolAvailability:
        return ToolAvailability(
            self.files.service, self.vector_stores.service, frozenset(self.hosted)
        )

    @cached_property
    def code_interpreter(self) -> CodeInterpreter:
        sessions, files, clock = self.sandbox_sessions, self.files.service, self.ports.clock
        copier = InputCopier(sessions.repository, files, clock)
        runner = CodeRunner(sessions, copier, clock)
        return CodeInterpreter(runner, OutputSaver(files, clock), files, in_background)

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
