"""Searching vector stores: queries in, the best passages over all of them out."""

from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from assistants.domain.filters import Comparison, Compound
from assistants.domain.ids import ProjectId
from assistants.domain.retrieval.passage import Document
from assistants.domain.retrieval.ranking import Hit, Ranking, rank
from assistants.ports.search import Embedder, Query, SearchIndex

MAX_RESULTS = 50
MAX_QUERIES = 16  # of one search: each is two searches of the index
CANDIDATES = 100  # per query, nearest in meaning and as many with its words, before they are ranked
_SIDE_BY_SIDE = 4


@dataclass(frozen=True)
class VectorSearch:
    """Index and embedding model are made when they are first asked for: few functions search."""

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

        At most `MAX_RESULTS`, of `MAX_QUERIES` queries. Raises `SearchUnavailableError`.
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
        """Have an index awake when the first search comes. Raises `SearchUnavailableError`."""
        self.index().wake()


def _embedded(texts: Sequence[str], embedder: Embedder) -> list[Query]:
    with ThreadPoolExecutor(_SIDE_BY_SIDE) as workers:
        return list(map(Query, texts, workers.map(embedder.query, texts)))
