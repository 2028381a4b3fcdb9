"""Search: embeddings of texts, and an index of chunks by vector and by word."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from assistants.domain.filters import Comparison, Compound
from assistants.domain.ids import ProjectId
from assistants.domain.retrieval.passage import Chunk, Document
from assistants.domain.retrieval.ranking import Candidates

Vector = list[float]


class SearchUnavailableError(Exception):
    """Raised when the index or the embedding model does not answer; a later try may succeed."""


class Embedder(Protocol):
    """Embed texts as vectors of length 1, so that a dot product is a cosine."""

    model: str
    dimensions: int
    unrelated: float
    """The cosine of two unrelated texts in this model."""

    def documents(self, texts: Sequence[str]) -> list[Vector]:
        """Return the vectors of passages to be indexed. Raises `SearchUnavailableError`."""
        ...

    def query(self, text: str) -> Vector:
        """Return the vector of a query. Raises `SearchUnavailableError`."""
        ...


@dataclass(frozen=True, slots=True)
class Query:
    text: str
    vector: Vector


class SearchIndex(Protocol):
    """Chunks of all projects whose vectors come from one model and have one dimension.

    Every method raises `SearchUnavailableError`. Writing again what was written changes nothing.
    Writes become visible after seconds, when `count` includes them. Until then they cannot be
    updated or deleted either, so both have to be repeated later.
    """

    def put(
        self, document: Document, chunks: Sequence[Chunk], vectors: Sequence[Sequence[float]]
    ) -> None:
        """Add or replace chunks of a document."""
        ...

    def set_attributes(self, document: Document, chunks: int) -> bool:
        """Give the chunks 0..chunks-1 the attributes that `document` has now.

        Return whether that is settled. If not, call this again when everything that has been
        written by now is visible.
        """
        ...

    def delete(self, document: Document, chunks: int) -> None:
        """Delete those of the chunks 0..chunks-1 that are visible."""
        ...

    def count(self, document: Document) -> int:
        """Return how many of its chunks a search can find now."""
        ...

    def search(
        self,
        project: ProjectId,
        vector_store_ids: Sequence[str],
        queries: Sequence[Query],
        *,
        condition: Comparison | Compound | None = None,
        without: Collection[Document] = (),
        limit: int = 50,
    ) -> list[Candidates]:
        """Return, for each query, the `limit` nearest and the `limit` best matching chunks.

        Search only these stores of this project, files whose attributes meet the condition, and no
        document in `without`.
        """
        ...

    def wake(self) -> None:
        """Send a no-op, so that an index scaled to zero is warm before the first search."""
        ...


def no_index() -> SearchIndex:
    """Raise `SearchUnavailableError`: the index of a deployment without one."""
    raise SearchUnavailableError("This deployment has no search index.")


def no_embedder() -> Embedder:
    """Raise `SearchUnavailableError`: the embedding model of a deployment without one."""
    raise SearchUnavailableError("This deployment has no embedding model.")
