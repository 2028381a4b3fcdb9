"""Wire the use cases of this folder over the ports."""

from dataclasses import dataclass
from functools import cached_property

from assistants.services.ports import Ports
from assistants.services.storage.idempotency import Idempotency
from assistants.services.storage.purge_requests import PurgeRequests


@dataclass(frozen=True)
class StorageServices:
    """Build each part when it is first used."""

    ports: Ports

    @cached_property
    def idempotency(self) -> Idempotency:
        return Idempotency(self.ports.table, self.ports.clock)

    @cached_property
    def purge_requests(self) -> PurgeRequests:
        return PurgeRequests(self.ports.table, self.ports.purge_queue)
