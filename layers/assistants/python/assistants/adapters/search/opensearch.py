"""Keep and search chunks in OpenSearch: in Serverless collections, in domains, and in nodes.

No chunk has an id of ours, as Serverless refuses those. A write adds a copy of the chunk and
deletes the copies that are visible. As a copy becomes visible seconds after it was written, a chunk
may have several. Readers take the newest, and `set_attributes` deletes the others.
"""

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial

from opensearchpy import OpenSearch

from assistants.adapters.search.opensearch_client import Dialect
from assistants.adapters.search.opensearch_documents import (
    Copy,
    FoundHit,
    Source,
    attribute_fields,
    distinct,
    newest_copies,
    passages,
    source_of,
)
from assistants.adapters.search.opensearch_mapping import index_body, index_name
from assistants.adapters.search.opensearch_queries import (
    MAX_HITS,
    Body,
    copies_query,
    filters_of,
    matching_query,
    nearest_query,
    number_buckets,
    numbers_query,
    sources_query,
)
from assistants.adapters.search.opensearch_requests import OpenSearchRequests
from assistants.domain.filters import Comparison, Compound
from assistants.domain.ids import ProjectId, new_order
from assistants.domain.retrieval.passage import Chunk, Document
from assistants.domain.retrieval.ranking import Candidates
from assistants.ports.search import Query, SearchUnavailableError

SizedQuery = Callable[[int], Body]

LISTED = 1_000  # chunks whose copies are listed at a time
REWRITTEN = 64  # chunks that are read with their vectors at a time


class OpenSearchIndex:
    """Implement `SearchIndex`. `dialect` is that of the endpoint of `client`."""

    def __init__(
        self,
        client: OpenSearch,
        *,
        model: str,
        dimensions: int,
        dialect: Dialect,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.name = index_name(model, dimensions)
        self._dimensions = dimensions
        body = index_body(dimensions, dialect)
        self._requests = OpenSearchRequests(client, self.name, body, sleep=sleep)

    def put(
        self, document: Document, chunks: Sequence[Chunk], vectors: Sequence[Sequence[float]]
    ) -> None:
        if any(len(vector) != self._dimensions for vector in vectors):
            raise ValueError(f"this index takes vectors of {self._dimensions} dimensions")
        numbers = {chunk.number for chunk in chunks}
        visible = self._copies(document, min(numbers, default=0), max(numbers, default=-1) + 1)
        former = [copy.id for copy in visible if copy.number in numbers]
        written = new_order()
        self._requests.add(
            [
                source_of(document, chunk, vector, written=written)
                for chunk, vector in zip(chunks, vectors, strict=True)
            ]
        )
        self._requests.delete(former)

    def set_attributes(self, document: Document, chunks: int) -> bool:
        visible = list(self._copies(document, 0, chunks))
        newest = newest_copies(visible)
        wanted = attribute_fields(document)
        stale = [one for _, one in sorted(newest.items()) if not one.carries(wanted)]
        for start in range(0, len(stale), REWRITTEN):
            self._rewrite(document, stale[start : start + REWRITTEN], wanted)
        right = {copy.id for copy in newest.values()} - {copy.id for copy in stale}
        superfluous = [copy.id for copy in visible if copy.id not in right]
        self._requests.delete(superfluous)
        return not superfluous and len(newest) == chunks

    def delete(self, document: Document, chunks: int) -> None:
        self._requests.delete([copy.id for copy in self._copies(document, 0, chunks)])

    def count(self, document: Document) -> int:
        counted, after = 0, None
        while True:
            [response] = self._requests.search([numbers_query(document, after)])
            buckets = number_buckets(response)
            counted += len(buckets)
            if len(buckets) < MAX_HITS:
                return counted
            after = buckets[-1]["key"]

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
        filters = filters_of(project, vector_store_ids, condition, without)
        searches: list[SizedQuery] = []
        for query in queries:
            searches.append(partial(nearest_query, query.vector, filters))
            searches.append(partial(matching_query, query.text, filters))
        found = iter(self._distinct(searches, limit))
        return [
            Candidates(passages(nearest, cosine=True), passages(matching, cosine=False))
            for nearest, matching in zip(found, found, strict=True)
        ]

    def wake(self) -> None:
        self._requests.wake()

    def _distinct(self, searches: Sequence[SizedQuery], limit: int) -> list[list[FoundHit]]:
        """Return up to `limit` chunks for each search; search for more if copies fill it."""
        found: list[list[FoundHit]] = [[] for _ in searches]
        waiting, size = list(range(len(searches))), limit
        while waiting:
            responses = self._requests.search([searches[place](size) for place in waiting])
            hits = [response["hits"]["hits"] for response in responses]
            starved = []
            for place, some in zip(waiting, hits, strict=True):
                found[place] = distinct(some)[:limit]
                if len(found[place]) < limit and len(some) == size < MAX_HITS:
                    starved.append(place)
            waiting, size = starved, min(2 * size, MAX_HITS)
        return found

    def _copies(self, document: Document, first: int, end: int) -> Iterator[Copy]:
        """List the visible copies of these chunks, however many there are."""
        for start in range(first, end, LISTED):
            yield from self._copies_between(document, start, min(start + LISTED, end))

    def _copies_between(self, document: Document, first: int, end: int) -> Iterator[Copy]:
        [response] = self._requests.search([copies_query(document, first, end)])
        hits = response["hits"]["hits"]
        if len(hits) < MAX_HITS or end - first == 1:
            yield from map(Copy.from_hit, hits)
            return
        middle = (first + end) // 2
        yield from self._copies_between(document, first, middle)
        yield from self._copies_between(document, middle, end)

    def _rewrite(self, document: Document, stale: Sequence[Copy], wanted: Source) -> None:
        """Write these chunks again with other attributes, except those that are gone by now."""
        [response] = self._requests.search([sources_query(document, stale)])
        found = {hit["_id"]: hit["_source"] for hit in response["hits"]["hits"]}
        sources = [found[copy.id] for copy in stale if copy.id in found]
        if any("vector" not in source for source in sources):
            raise SearchUnavailableError("The search index returns chunks without their vectors.")
        changed = {**wanted, "written": new_order()}
        self._requests.add([{**source, **changed} for source in sources])
