"""The search index in OpenSearch: Serverless collections, domains, and nodes without a login.

No chunk has an id of ours, as Serverless refuses those. A write adds a copy of a chunk and removes
the copies that a search shows, and a search shows a write only seconds later. So there may be
several copies of a chunk. Readers take the newest; `set_attributes` removes the others.
"""

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial

from opensearchpy import OpenSearch

from assistants.adapters.search import opensearch_documents as form
from assistants.adapters.search import opensearch_queries as query_form
from assistants.adapters.search.opensearch_client import Dialect
from assistants.adapters.search.opensearch_mapping import index_body, index_name
from assistants.adapters.search.opensearch_queries import LARGEST_ANSWER
from assistants.adapters.search.opensearch_requests import OpenSearchRequests
from assistants.domain.filters import Comparison, Compound
from assistants.domain.ids import ProjectId, new_order
from assistants.domain.retrieval.passage import Chunk, Document
from assistants.domain.retrieval.ranking import Candidates
from assistants.ports.search import Query, SearchUnavailableError

Question = Callable[[int], query_form.Clause]

LISTED = 1_000  # chunks whose copies are listed at a time
REWRITTEN = 64  # chunks that are read with their vectors at a time


class OpenSearchIndex:
    """A `SearchIndex`. The dialect is that of the endpoint which `client` asks."""

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
        shown = self._copies(document, min(numbers, default=0), max(numbers, default=-1) + 1)
        former = [copy.id for copy in shown if copy.number in numbers]
        written = new_order()
        self._requests.add(
            [
                form.source_of(document, chunk, vector, written=written)
                for chunk, vector in zip(chunks, vectors, strict=True)
            ]
        )
        self._requests.remove(former)

    def set_attributes(self, document: Document, chunks: int) -> bool:
        shown = list(self._copies(document, 0, chunks))
        newest = form.newest_copies(shown)
        wanted = form.attribute_fields(document)
        stale = [one for _, one in sorted(newest.items()) if not one.carries(wanted)]
        for start in range(0, len(stale), REWRITTEN):
            self._rewrite(document, stale[start : start + REWRITTEN], wanted)
        right = {copy.id for copy in newest.values()} - {copy.id for copy in stale}
        superfluous = [copy.id for copy in shown if copy.id not in right]
        self._requests.remove(superfluous)
        return not superfluous and len(newest) == chunks

    def delete(self, document: Document, chunks: int) -> None:
        self._requests.remove([copy.id for copy in self._copies(document, 0, chunks)])

    def count(self, document: Document) -> int:
        counted, after = 0, None
        while True:
            [answer] = self._requests.ask([query_form.numbers(document, after)])
            buckets = query_form.buckets(answer)
            counted += len(buckets)
            if len(buckets) < LARGEST_ANSWER:
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
        filters = query_form.within(project, vector_store_ids, condition, without)
        questions: list[Question] = []
        for query in queries:
            questions.append(partial(query_form.nearest, query.vector, filters))
            questions.append(partial(query_form.matching, query.text, filters))
        found = iter(self._distinct(questions, limit))
        return [
            Candidates(form.passages(nearest, cosine=True), form.passages(matching, cosine=False))
            for nearest, matching in zip(found, found, strict=True)
        ]

    def wake(self) -> None:
        self._requests.wake()

    def _distinct(self, questions: Sequence[Question], limit: int) -> list[list[form.FoundHit]]:
        """Return `limit` chunks for each question, asking for more where copies take their room."""
        found: list[list[form.FoundHit]] = [[] for _ in questions]
        waiting, size = list(range(len(questions))), limit
        while waiting:
            answers = self._requests.ask([questions[place](size) for place in waiting])
            hits = [answer["hits"]["hits"] for answer in answers]
            starved = []
            for place, some in zip(waiting, hits, strict=True):
                found[place] = form.distinct(some)[:limit]
                if len(found[place]) < limit and len(some) == size < LARGEST_ANSWER:
                    starved.append(place)
            waiting, size = starved, min(2 * size, LARGEST_ANSWER)
        return found

    def _copies(self, document: Document, first: int, end: int) -> Iterator[form.Copy]:
        """List what a search shows of these chunks, however many copies there are."""
        for start in range(first, end, LISTED):
            yield from self._copies_between(document, start, min(start + LISTED, end))

    def _copies_between(self, document: Document, first: int, end: int) -> Iterator[form.Copy]:
        [answer] = self._requests.ask([query_form.copies(document, first, end)])
        hits = answer["hits"]["hits"]
        if len(hits) < LARGEST_ANSWER or end - first == 1:
            yield from map(form.Copy.from_hit, hits)
            return
        middle = (first + end) // 2
        yield from self._copies_between(document, first, middle)
        yield from self._copies_between(document, middle, end)

    def _rewrite(self, document: Document, stale: Sequence[form.Copy], wanted: form.Source) -> None:
        """Write these chunks once more with other attributes, but those that are gone already."""
        [answer] = self._requests.ask([query_form.sources(document, stale)])
        found = {hit["_id"]: hit["_source"] for hit in answer["hits"]["hits"]}
        sources = [found[copy.id] for copy in stale if copy.id in found]
        if any("vector" not in source for source in sources):
            raise SearchUnavailableError(
                "The search index gives chunks back without their vectors."
            )
        changed = {**wanted, "written": new_order()}
        self._requests.add([{**source, **changed} for source in sources])
