"""Searching vector stores: only of what is attached to them now, and only while they live."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from assistants.domain.errors import UnavailableError
from assistants.domain.filters import Comparison, Compound, matches
from assistants.domain.ids import ProjectId, VectorStoreId
from assistants.domain.retrieval.passage import Document
from assistants.domain.retrieval.ranking import Hit, Ranking
from assistants.domain.vector_store_file import TextContent
from assistants.domain.vector_store_search import (
    SearchResult,
    SearchResultsPage,
    VectorStoreSearch,
)
from assistants.ports.search import SearchUnavailableError
from assistants.ports.table import Table
from assistants.services.storage import keys
from assistants.services.vector_stores.file_repository import StoreFile
from assistants.services.vector_stores.service import VectorStores
from assistants.services.vector_stores.vector_search import MAX_RESULTS, VectorSearch

# How often a search is repeated without the files that turn out to be absent and leave too little
# room for others: as few files are indexed, or removed, at a time, once is nearly always enough.
_ROUNDS = 4


@dataclass(frozen=True)
class VectorStoreSearches:
    table: Table
    stores: VectorStores
    search: VectorSearch

    def page(
        self, project: ProjectId, vector_store_id: VectorStoreId, body: VectorStoreSearch
    ) -> SearchResultsPage:
        """Raises `UnavailableError` while the index does not answer."""
        queries = body.queries
        try:
            hits = self.find(
                project,
                [vector_store_id],
                queries,
                ranking=body.ranking_options.ranking,
                condition=body.filters,
                limit=body.max_num_results,
            )
        except SearchUnavailableError as error:
            raise UnavailableError("The search index does not answer. Please try again.") from error
        return SearchResultsPage(search_query=queries, data=[_result(hit) for hit in hits])

    def find(
        self,
        project: ProjectId,
        vector_store_ids: Sequence[VectorStoreId],
        queries: Sequence[str],
        *,
        ranking: Ranking | None = None,
        condition: Comparison | Compound | None = None,
        limit: int = 10,
    ) -> list[Hit]:
        """The best passages of completed files, the best first. The stores count as used.

        Raises `NotFoundError` and `InvalidRequestError` for stores that do not exist or have
        expired, and `SearchUnavailableError`.
        """
        self.stores.touch(project, vector_store_ids)
        search = partial(self.search.search, project, vector_store_ids, queries)
        present: list[Hit] = []
        absent: set[Document] = set()
        for _ in range(_ROUNDS):
            hits = search(ranking=ranking, condition=condition, without=absent, limit=MAX_RESULTS)
            present = self._present(project, hits, condition)
            if len(present) == len(hits) or len(present) >= limit:
                break
            absent |= _documents(hits) - _documents(present)
        return present[:limit]

    def _present(
        self, project: ProjectId, hits: Sequence[Hit], condition: Comparison | Compound | None
    ) -> list[Hit]:
        """Without files that are not searchable yet, that have left while the index still holds
        their chunks, or whose attributes have changed while the index still shows the former.
        """
        places = [
            keys.store_file(project, document.vector_store_id, document.attachment)
            for document in _documents(hits)
        ]
        found = [StoreFile.of(project, row) for row in self.table.get(*places) if row]
        present = {
            one.document: one.document
            for one in found
            if one.file.status == "completed"
            and (condition is None or matches(condition, one.document.attributes))
        }
        return [
            replace(hit, passage=replace(hit.passage, document=present[hit.passage.document]))
            for hit in hits
            if hit.passage.document in present
        ]


def _documents(hits: Sequence[Hit]) -> set[Document]:
    return {hit.passage.document for hit in hits}


def _result(hit: Hit) -> SearchResult:
    document = hit.passage.document
    return SearchResult(
        file_id=document.file_id,
        filename=document.filename,
        score=hit.score,
        attributes=document.attributes,
        content=[TextContent(text=hit.passage.chunk.text)],
    )
