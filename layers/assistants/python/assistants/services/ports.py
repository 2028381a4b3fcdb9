"""The ports of one deployment, and the few settings that services read."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from assistants.domain.model import Catalog
from assistants.domain.tool import HostedToolName
from assistants.ports.blobs import Blobs
from assistants.ports.chat_model import ChatModel
from assistants.ports.clock import Clock
from assistants.ports.executions import Executions
from assistants.ports.hosted_tool import HostedTool
from assistants.ports.index_queue import IndexQueue
from assistants.ports.purge_queue import PurgeQueue
from assistants.ports.sandbox import Sandboxes
from assistants.ports.search import Embedder, SearchIndex, no_embedder, no_index
from assistants.ports.table import Table


@dataclass(frozen=True)
class Ports:
    """Hold what `bootstrap` chose; a port that is None is not part of this deployment."""

    table: Table
    blobs: Blobs
    executions: Executions
    purge_queue: PurgeQueue
    model: ChatModel
    catalog: Catalog
    clock: Clock
    auth: Literal["keys", "open"] = "keys"
    run_ttl_seconds: int = 600
    tools: Mapping[HostedToolName, HostedTool] = field(default_factory=dict)
    index_queue: IndexQueue | None = None
    sandboxes: Sandboxes | None = None
    sandbox_spares: int = 0
    index: Callable[[], SearchIndex] = no_index
    embedder: Callable[[], Embedder] = no_embedder
