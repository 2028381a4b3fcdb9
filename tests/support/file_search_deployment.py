"""The service over fakes with file search: a real embedded index, and a worker for its queue."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from assistants.adapters.search.sqlite import SqliteIndex
from assistants.documents.chunking import chunks
from assistants.domain.retrieval.document_text import DocumentError, ExtractedText
from assistants.domain.tool import HostedToolName
from assistants.ports.blobs import BlobMissingError
from assistants.ports.hosted_tool import HostedTool
from assistants.ports.parsing import ParsingUnavailableError
from assistants.ports.table import Key
from assistants.services.vector_stores.indexing import Indexing
from tests.support.deployment import Deployment
from tests.support.fake_tools import UnusedTool
from tests.support.fakes import FakeBlobs, FakeIndexQueue, Script
from tests.support.hashing import HashingEmbedder

WORK_SECONDS = 1000  # no worker lives longer


TOOLS: Mapping[HostedToolName, HostedTool] = {"code_interpreter": UnusedTool()}


class PlainParser:
    """Reads every file as UTF-8, and refuses `.bin`."""

    def __init__(self, blobs: FakeBlobs) -> None:
        self._blobs = blobs

    def parse(self, blob: str, filename: str) -> ExtractedText:
        if filename.endswith(".bin"):
            raise DocumentError("unsupported_file", "Files with extensions [.bin] are not read.")
        try:
            pieces = self._blobs.read(blob)
        except BlobMissingError as error:
            raise ParsingUnavailableError(blob) from error
        return ExtractedText(b"".join(pieces).decode())


class FileSearchDeployment(Deployment):
    """`ingest` does what the index function does with its queue, `sweep` what `expire` does.

    With a `script`, runs are worked on as soon as they are created.
    """

    def __init__(self, folder: Path, *script: Script, **ports: Any) -> None:
        embedder = HashingEmbedder()
        self.index = SqliteIndex(
            folder / "index.sqlite", model=embedder.model, dimensions=embedder.dimensions
        )
        self.index_queue = FakeIndexQueue()
        super().__init__(
            *script,
            machine=bool(script),
            tools=TOOLS,
            index=lambda: self.index,
            embedder=lambda: embedder,
            index_queue=self.index_queue,
            **ports,
        )
        self.indexing = Indexing(
            repository=self.backend.vector_stores.file_repository,
            attribute_updates=self.backend.vector_stores.attribute_updates,
            texts=self.backend.vector_stores.texts,
            parser=PlainParser(self.blobs),
            chunker=chunks,
            index=lambda: self.index,
            embedder=lambda: embedder,
            clock=self.clock,
        )

    def vector_store(self, *file_ids: str, **members: Any) -> str:
        return str(self.api.post("/vector_stores", {"file_ids": [*file_ids], **members})["id"])

    def ingest(self) -> None:
        """Work through the queues, until nothing is added to them."""
        while self.index_queue.sent or self.purge_queue.sent:
            sent, self.index_queue.sent = self.index_queue.sent, []
            for message in sent:
                self.indexing.process(message)
            self.purge()

    def sweep(self, seconds: float = WORK_SECONDS) -> None:
        self.clock.now += seconds
        self.backend.maintenance.sweeper.sweep()
        self.ingest()

    def rows(self) -> list[Key]:
        """Return the keys of all rows but those that expire by themselves."""
        return [row.key for row in self.table.rows.values() if row.ttl is None]

    def indexed(self) -> int:
        """Count all chunks in the index."""
        rows = self.index._connection.cursor().execute("SELECT number FROM chunks").fetchall()
        return len(rows)

    def url(self, vector_store_id: str, *rest: str) -> str:
        return "/".join(["/vector_stores", vector_store_id, *rest])
