"""Wire the use cases of this folder over the ports."""

from dataclasses import dataclass
from functools import cached_property

from assistants.services.assistants.service import Assistants
from assistants.services.ports import Ports
from assistants.services.threads.wiring import ThreadServices


@dataclass(frozen=True)
class AssistantServices:
    """Build each part when it is first used."""

    ports: Ports
    threads: ThreadServices

    @cached_property
    def service(self) -> Assistants:
        return Assistants(
            self.ports.table,
            self.ports.catalog,
            self.threads.tools.availability,
            self.threads.provisioner,
            self.ports.clock,
        )
