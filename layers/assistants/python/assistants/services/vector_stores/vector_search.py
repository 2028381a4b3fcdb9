"""Search the index: rank the best passages for some queries over several vector stores."""

from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from assistants.domain.filters import Comparison, Compound
from assistants.domain.ids import ProjectId
from assistants.domain.retrieval.passage import Document
from assistants.domain.retrieval.ranking import Hit, Ranking, rank
from assistants.ports.search import Embedder, Query, SearchIndex

MAX_RESULTS = 50
MAX_QUERIES = 16  # per search; each takes two searches of the index
CANDIDATES = 100  # per query: so many by vector and so many by keyword, before ranking
_WORKERS = 4


@dataclass(frozen=True)
class VectorSearch:
    """Build the index and the embedding model only when needed, since few functions search."""

    index: Callable[[], SearchIndex]
    embedder: Callable[[], Embedder]

    def search(
        self,
        project: ProjectId,
        vector_store_ids: Sequence[str],
        queries: Sequence[str],
        *,
        ranking: Ranking | None = None,
        condition: Comparison | Compound | None = None,
        without: Collection[Document] = (),
        limit: int = 10,
    ) -> list[Hit]:
        """Return the `limit` best passages of these stores, the best first.

        Raises `SearchUnavailableError`, and `ValueError` beyond `MAX_RESULTS` or `MAX_QUERIES`.
        """
        asked = [query for query in queries if query.strip()]
        if not 0 < limit <= MAX_RESULTS or len(asked) > MAX_QUERIES:
            raise ValueError(f"{limit} results of {len(asked)} queries are beyond the limits")
        if not asked or not vector_store_ids:
            return []
        embedder = self.embedder()
        found = self.index().search(
            project,
            vector_store_ids,
            _embedded(asked, embedder),
            condition=condition,
            without=without,
            limit=CANDIDATES,
        )
        return rank(found, ranking or Ranking(), unrelated=embedder.unrelated, limit=limit)

    def wake(self) -> None:
        """Warm up the index before the first search. Raises `SearchUnavailableError`."""
        self.index().wake()


def _embedded(texts: Sequence[str], embedder: Embedder) -> list[Query]:
    with ThreadPoolExecutor(_WORKERS) as workers:
        return list(map(Query, texts, workers.map(embedder.query, texts)))
