"""Search vector stores: only files that are attached now, in stores that have not expired."""

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

# How often to search in all, each time without the files that turned out to be absent, if these
# leave too few results. Few files are being indexed or deleted at a time, so one round nearly
# always suffices.
_ROUNDS = 4


@dataclass(frozen=True)
class StoreSearcher:
    table: Table
    stores: VectorStores
    vector_search: VectorSearch

    def search(
        self, project: ProjectId, vector_store_id: VectorStoreId, body: VectorStoreSearch
    ) -> SearchResultsPage:
        """Search one store. Raises `UnavailableError` if the index does not answer."""
        queries = body.queries
        try:
            hits = self.find_passages(
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

    def find_passages(
        self,
        project: ProjectId,
        vector_store_ids: Sequence[VectorStoreId],
        queries: Sequence[str],
        *,
        ranking: Ranking | None = None,
        condition: Comparison | Compound | None = None,
        limit: int = 10,
    ) -> list[Hit]:
        """Return the best passages of completed files, the best first. Count this as a use of the
        stores.

        Raises `NotFoundError` if a store does not exist, `InvalidRequestError` if it has expired,
        and `SearchUnavailableError` if the index does not answer.
        """
        self.stores.touch(project, vector_store_ids)
        search = partial(self.vector_search.search, project, vector_store_ids, queries)
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
        """Return the hits in files that are completed, attached and match `condition`, according to
        the table: the index may lag.
        """
        rows = self.table.get(*(keys.store_file(document.ref) for document in _documents(hits)))
        found = [StoreFile.from_row(project, row) for row in rows if row]
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
