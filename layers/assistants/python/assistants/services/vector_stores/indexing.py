"""Making files searchable: read, cut into chunks, embedded, put into the index; and taken out.

All of it can be done twice, at once or after a death in the middle: chunks have names of their own,
and what is to be done with a file is decided by its row alone.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from assistants.domain.ids import ProjectId, VectorStoreId
from assistants.domain.retrieval.document_text import DocumentError, Text
from assistants.domain.retrieval.passage import Chunk, Document
from assistants.ports.blobs import Blobs
from assistants.ports.clock import Clock
from assistants.ports.parsing import Parser
from assistants.ports.search import Embedder, SearchIndex, SearchUnavailableError
from assistants.services.files.contents import blob_name
from assistants.services.vector_stores.file_repository import StoreFile, StoreFileRepository
from assistants.services.vector_stores.index_attributes import IndexAttributeUpdates
from assistants.services.vector_stores.index_deletions import IndexDeletion
from assistants.telemetry import logger

BATCH = 64  # chunks that are embedded and put at a time, so that memory does not grow with a file
VISIBLE_SECONDS = 120  # a Serverless collection shows a write within about ten
_LOOK_SECONDS = 0.5
_VECTOR_VALUE_BYTES = 4

GAVE_UP = "The file could not be indexed: the service failed five times. Attach it again to retry."


class Chunker(Protocol):
    def __call__(self, text: Text, *, size: int, overlap: int) -> list[Chunk]:
        """Cut a text; both numbers are tokens. Raises `DocumentError`."""
        ...


@dataclass(frozen=True)
class Indexing:
    repository: StoreFileRepository
    attribute_updates: IndexAttributeUpdates
    blobs: Blobs
    parser: Parser
    chunker: Chunker
    index: Callable[[], SearchIndex]
    embedder: Callable[[], Embedder]
    clock: Clock

    def work(self, project: ProjectId, vector_store_id: VectorStoreId, attachment: str) -> None:
        """Do what the table says is to be done with this file of a store, if anything.

        Raises `SearchUnavailableError` and `ParsingUnavailableError`: what a later try may mend.
        """
        removal = self.repository.index_deletions.find(project, vector_store_id, attachment)
        if removal is not None:
            self._remove(removal)
            return
        if self.attribute_updates.pending(project, vector_store_id, attachment):
            self.attribute_updates.work(project, vector_store_id, attachment)
            return
        found = self.repository.load(project, vector_store_id, attachment)
        if found is None or found.file.status != "in_progress":
            return
        try:
            self._add(found)
        except DocumentError as error:
            self.repository.fail(found, error.code, error.message)

    def give_up(self, project: ProjectId, vector_store_id: VectorStoreId, attachment: str) -> None:
        """Let a file fail that could not be indexed however often it was tried."""
        found = self.repository.load(project, vector_store_id, attachment)
        if found is not None and found.file.status == "in_progress":
            self.repository.fail(found, "server_error", GAVE_UP)

    def _add(self, found: StoreFile) -> None:
        text = self.parser.parse(blob_name(found.project, found.file.id), found.filename)
        strategy = found.file.chunking_strategy.static
        chunks = self.chunker(
            text, size=strategy.max_chunk_size_tokens, overlap=strategy.chunk_overlap_tokens
        )
        if not self.repository.plan(found, len(chunks)):
            return
        self.blobs.write(text_blob(found.document), _pieces(text))
        self._put(found, chunks)
        self._wait_until_visible(found, len(chunks))
        if self.repository.complete(found, self._usage(chunks)):
            logger.info("made a file searchable", extra={"chunks": len(chunks)})

    def _put(self, found: StoreFile, chunks: Sequence[Chunk]) -> None:
        index, embedder = self.index(), self.embedder()
        for start in range(self._begin(found, len(chunks)), len(chunks), BATCH):
            batch = chunks[start : start + BATCH]
            texts = [f"{chunk.context(found.filename)}\n{chunk.text}" for chunk in batch]
            index.put(found.document, batch, embedder.documents(texts))

    def _begin(self, found: StoreFile, chunks: int) -> int:
        """Go on where an earlier try was stopped: batches are put in order, so what is there is
        the beginning, all of it but perhaps the last batch. Another version of this program may
        have cut the text otherwise; then nothing of that try is left.
        """
        if found.chunks is None:
            return 0
        if found.chunks != chunks:
            self.index().delete(found.document, found.chunks)
            return 0
        there = self.index().count(found.document) // BATCH * BATCH
        self.index().set_attributes(found.document, there)  # they may have changed since
        return there

    def _wait_until_visible(self, found: StoreFile, chunks: int) -> None:
        until = self.clock.time() + VISIBLE_SECONDS
        while (count := self.index().count(found.document)) < chunks:
            if self.clock.time() > until:
                raise SearchUnavailableError(f"The search index shows {count} of {chunks} chunks.")
            self.clock.sleep(_LOOK_SECONDS)

    def _remove(self, removal: IndexDeletion) -> None:
        document = removal.document
        unsettled = self.attribute_updates.pending(
            document.project, document.vector_store_id, document.attachment
        )
        self.index().delete(document, removal.chunks)
        self.blobs.delete([text_blob(document)])
        self.repository.index_deletions.done(removal, unsettled=unsettled)

    def _usage(self, chunks: Sequence[Chunk]) -> int:
        """Bytes of the chunks' texts and of their vectors, as floats."""
        vector = self.embedder().dimensions * _VECTOR_VALUE_BYTES
        return sum(len(chunk.text.encode()) + vector for chunk in chunks)


def text_blob(document: Document) -> str:
    """Where the text that was read from a file of a store is kept, as UTF-8."""
    return f"texts/{document.project}/{document.vector_store_id}/{document.attachment}"


def _pieces(text: Text) -> Iterator[bytes]:
    size = 2**20
    for start in range(0, len(text.content), size):
        yield text.content[start : start + size].encode()
