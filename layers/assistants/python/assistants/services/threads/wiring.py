"""Wire the use cases of this folder over the ports."""

from dataclasses import dataclass
from functools import cached_property

from assistants.services.ports import Ports
from assistants.services.storage.wiring import StorageServices
from assistants.services.threads.attachments import Attachments
from assistants.services.threads.messages import Messages
from assistants.services.threads.service import Threads
from assistants.services.threads.tool_resources import ToolResourceProvisioner
from assistants.services.tools.wiring import ToolServices


@dataclass(frozen=True)
class ThreadServices:
    """Build each part when it is first used."""

    ports: Ports
    storage: StorageServices
    tools: ToolServices

    @cached_property
    def attachments(self) -> Attachments:
        stores = self.tools.vector_stores
        return Attachments(stores.service, stores.batch_attacher)

    @cached_property
    def provisioner(self) -> ToolResourceProvisioner:
        tools = self.tools
        return ToolResourceProvisioner(tools.availability, tools.vector_stores.service)

    @cached_property
    def service(self) -> Threads:
        return Threads(
            table=self.ports.table,
            tool_availability=self.tools.availability,
            provisioner=self.provisioner,
            attachments=self.attachments,
            purge_requests=self.storage.purge_requests,
            clock=self.ports.clock,
        )

    @cached_property
    def messages(self) -> Messages:
        return Messages(
            self.ports.table, self.tools.availability, self.attachments, self.ports.clock
        )
