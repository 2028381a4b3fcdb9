"""Wire the use cases of this folder over the ports."""

from dataclasses import dataclass
from functools import cached_property

from assistants.services.maintenance.purge import Purge
from assistants.services.maintenance.sweep import Sweeper
from assistants.services.ports import Ports
from assistants.services.runs.wiring import RunServices


@dataclass(frozen=True)
class MaintenanceServices:
    """Build each part when it is first used."""

    ports: Ports
    runs: RunServices

    @cached_property
    def sweeper(self) -> Sweeper:
        tools = self.runs.threads.tools
        return Sweeper(
            table=self.ports.table,
            repository=self.runs.repository,
            executions=self.ports.executions,
            callbacks=self.runs.callbacks,
            termination=self.runs.termination,
            purge_requests=self.runs.threads.storage.purge_requests,
            files=tools.files.service,
            uploads=tools.files.uploads,
            sandbox_sessions=tools.sandbox_sessions,
            vector_store_upkeep=tools.vector_stores.upkeep,
            clock=self.ports.clock,
        )

    @cached_property
    def purge(self) -> Purge:
        threads = self.runs.threads
        return Purge(
            self.ports.table,
            threads.storage.purge_requests,
            threads.tools.vector_stores.purge,
            threads.tools.sandbox_sessions,
            self.ports.clock,
        )
