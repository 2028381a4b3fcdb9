"""The whole service: one object per folder of use cases, wired over the ports.

`backend.<folder>.<part>` is the use case in `services/<folder>/`, and `service` is the one of the
folder's own resource: `backend.runs.service.create`, `backend.runs.tool_outputs.submit`.
"""

from dataclasses import dataclass
from functools import cached_property

from assistants.domain.ids import FileId, ProjectId
from assistants.services.api_keys import ApiKeys
from assistants.services.assistants.wiring import AssistantServices
from assistants.services.files.wiring import FileServices
from assistants.services.maintenance.wiring import MaintenanceServices
from assistants.services.ports import Ports
from assistants.services.runs.wiring import RunServices
from assistants.services.storage.wiring import StorageServices
from assistants.services.threads.wiring import ThreadServices
from assistants.services.tools.wiring import ToolServices
from assistants.services.turns.wiring import TurnServices
from assistants.services.vector_stores.wiring import VectorStoreServices


@dataclass(frozen=True)
class Backend:
    """Build each part when it is first used: a Lambda function needs few of them."""

    ports: Ports

    @cached_property
    def api_keys(self) -> ApiKeys:
        return ApiKeys(self.ports.table, self.ports.clock, self.ports.auth)

    @cached_property
    def storage(self) -> StorageServices:
        return StorageServices(self.ports)

    @cached_property
    def files(self) -> FileServices:
        return FileServices(self.ports, self._detach)

    @cached_property
    def vector_stores(self) -> VectorStoreServices:
        return VectorStoreServices(self.ports, self.storage, self.files)

    @cached_property
    def tools(self) -> ToolServices:
        return ToolServices(self.ports, self.files, self.vector_stores)

    @cached_property
    def threads(self) -> ThreadServices:
        return ThreadServices(self.ports, self.storage, self.tools)

    @cached_property
    def assistants(self) -> AssistantServices:
        return AssistantServices(self.ports, self.threads)

    @cached_property
    def runs(self) -> RunServices:
        return RunServices(self.ports, self.threads)

    @cached_property
    def turns(self) -> TurnServices:
        return TurnServices(self.ports, self.runs)

    @cached_property
    def maintenance(self) -> MaintenanceServices:
        return MaintenanceServices(self.ports, self.runs)

    def _detach(self, project: ProjectId, file_id: FileId) -> None:
        """Take a deleted file out of its vector stores, which lie above files."""
        self.vector_stores.detacher.detach_everywhere(project, file_id)
