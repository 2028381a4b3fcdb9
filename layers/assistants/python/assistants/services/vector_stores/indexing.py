"""Make files searchable: read them, cut them into chunks, embed these and put them into the index.
Also delete them from the index again.

All of this can be repeated, concurrently or after a worker was stopped in the middle: each chunk
has a fixed id in the index, and a file's row alone decides what the file needs.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from assistants.domain.ids import EntryRef
from assistants.domain.retrieval.document_text import DocumentError, ExtractedText
from assistants.domain.retrieval.passage import Chunk
from assistants.ports.blobs import BlobMissingError
from assistants.ports.clock import Clock
from assistants.ports.parsing import Parser
from assistants.ports.search import Embedder, SearchIndex, SearchUnavailableError
from assistants.services.files.contents import blob_name
from assistants.services.vector_stores.file_repository import StoreFile, StoreFileRepository
from assistants.services.vector_stores.index_attributes import IndexAttributeUpdates
from assistants.services.vector_stores.index_deletions import IndexDeletion
from assistants.services.vector_stores.kept_texts import KeptTexts
from assistants.telemetry import logger

BATCH = 64  # chunks that are embedded and put at a time, to bound the memory for large files
VISIBLE_SECONDS = 120  # an OpenSearch Serverless collection shows a write after about ten
_POLL_SECONDS = 0.5
_VECTOR_VALUE_BYTES = 4

GAVE_UP = "The file could not be indexed: the service failed five times. Attach it again to retry."


class Chunker(Protocol):
    def __call__(self, text: ExtractedText, *, size: int, overlap: int) -> list[Chunk]:
        """Cut a text into chunks. `size` and `overlap` are in tokens. Raises `DocumentError`."""
        ...


@dataclass(frozen=True)
class Indexing:
    repository: StoreFileRepository
    attribute_updates: IndexAttributeUpdates
    texts: KeptTexts
    parser: Parser
    chunker: Chunker
    index: Callable[[], SearchIndex]
    embedder: Callable[[], Embedder]
    clock: Clock

    def process(self, ref: EntryRef) -> None:
        """Delete the chunks of a file, update their attributes or index the file, whichever the
        table says it needs, if any.

        Raises `SearchUnavailableError` and `ParsingUnavailableError`, after which a later try may
        succeed.
        """
        deletion = self.repository.index_deletions.find(ref)
        if deletion is not None:
            self._delete(deletion, ref)
            return
        if self.attribute_updates.is_pending(ref):
            self.attribute_updates.apply(ref)
            return
        found = self.repository.load(ref)
        if found is None or found.file.status != "in_progress":
            return
        try:
            self._index(found)
        except DocumentError as error:
            self.repository.fail(found, error.code, error.message)

    def give_up(self, ref: EntryRef) -> None:
        """Mark a file as failed that could not be indexed after all attempts."""
        found = self.repository.load(ref)
        if found is not None and found.file.status == "in_progress":
            self.repository.fail(found, "server_error", GAVE_UP)

    def _index(self, found: StoreFile) -> None:
        kept = self._kept_text(found)
        text = kept or self.parser.parse(blob_name(found.project, found.file.id), found.filename)
        strategy = found.file.chunking_strategy.static
        chunks = self.chunker(
            text, size=strategy.max_chunk_size_tokens, overlap=strategy.chunk_overlap_tokens
        )
        self._close_gaps(found)
        if not self.repository.plan(found, len(chunks)):
            return
        if kept is None:
            self.texts.write(found.document, text)
        self._put(found, chunks)
        self._wait_until_visible(found, len(chunks))
        if self.repository.complete(found, self._usage(chunks)):
            logger.info("made a file searchable", extra={"chunks": len(chunks)})

    def _kept_text(self, found: StoreFile) -> ExtractedText | None:
        if not found.file.has_text:
            return None
        try:
            return self.texts.read(found.document)
        except BlobMissingError:
            return None  # deleted by hand: the original is still there

    def _close_gaps(self, found: StoreFile) -> None:
        """Delete what is left of a file that is indexed again, unless the index holds all of it."""
        chunks = found.chunks
        if found.file.may_have_gaps and chunks and self.index().count(found.document) < chunks:
            self.index().delete(found.document, chunks)

    def _put(self, found: StoreFile, chunks: Sequence[Chunk]) -> None:
        index, embedder = self.index(), self.embedder()
        for start in range(self._first_missing(found, len(chunks)), len(chunks), BATCH):
            batch = chunks[start : start + BATCH]
            texts = [f"{chunk.context(found.filename)}\n{chunk.text}" for chunk in batch]
            index.put(found.document, batch, embedder.documents(texts))

    def _first_missing(self, found: StoreFile, chunks: int) -> int:
        """Return the number of the first chunk that an earlier, interrupted try has not put.

        Batches are put in order, so the index holds the first ones, of which the last may be
        incomplete. If the number of chunks differs, another version of this program has cut the
        text: delete the chunks of that try.
        """
        if found.chunks is None:
            return 0
        if found.chunks != chunks:
            self.index().delete(found.document, found.chunks)
            return 0
        count = self.index().count(found.document)
        complete = count if count == chunks else count // BATCH * BATCH
        self.index().set_attributes(found.document, complete)  # they may have changed since
        return complete

    def _wait_until_visible(self, found: StoreFile, chunks: int) -> None:
        until = self.clock.time() + VISIBLE_SECONDS
        while (count := self.index().count(found.document)) < chunks:
            if self.clock.time() > until:
                raise SearchUnavailableError(f"The search index shows {count} of {chunks} chunks.")
            self.clock.sleep(_POLL_SECONDS)

    def _delete(self, deletion: IndexDeletion, ref: EntryRef) -> None:
        unsettled = self.attribute_updates.is_pending(ref)
        self.index().delete(deletion.document, deletion.chunks)
        self.texts.delete(deletion.document)
        self.repository.index_deletions.finish(deletion, ref, unsettled=unsettled)

    def _usage(self, chunks: Sequence[Chunk]) -> int:
        """Return the bytes of the chunks' texts and of their vectors of 32-bit floats."""
        vector = self.embedder().dimensions * _VECTOR_VALUE_BYTES
        return sum(len(chunk.text.encode()) + vector for chunk in chunks)
