"""Searches of a vector store: the request, and the page of results."""

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, model_validator

from assistants.domain.filters import Filter
from assistants.domain.ids import FileId
from assistants.domain.retrieval.query_rewriting import rewritten
from assistants.domain.retrieval.ranking import Ranking
from assistants.domain.schema import Object, Part, Request
from assistants.domain.vector_store_file import TextContent

MAX_QUERIES = 16
MAX_QUERY_CHARACTERS = 4096

QueryText = Annotated[str, StringConstraints(min_length=1, max_length=MAX_QUERY_CHARACTERS)]
Queries = Annotated[list[QueryText], Field(min_length=1, max_length=MAX_QUERIES)]
Weight = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class HybridSearch(Part):
    """The weights of vector search and keyword search in reciprocal rank fusion."""

    embedding_weight: Weight
    text_weight: Weight

    @model_validator(mode="after")
    def _one_counts(self) -> "HybridSearch":
        if self.embedding_weight + self.text_weight <= 0:
            raise ValueError("embedding_weight or text_weight must be greater than 0")
        return self


class SearchRankingOptions(Part):
    ranker: Literal["none", "auto", "default-2024-11-15"] = "auto"
    score_threshold: Annotated[float, Field(ge=0, le=1)] = 0.0
    hybrid_search: HybridSearch | None = None

    @property
    def ranking(self) -> Ranking:
        hybrid = self.hybrid_search
        weights = (hybrid.embedding_weight, hybrid.text_weight) if hybrid else None
        return Ranking(self.ranker, self.score_threshold, weights)


class VectorStoreSearch(Request):
    query: QueryText | Queries
    rewrite_query: bool = False
    max_num_results: Annotated[int, Field(ge=1, le=50)] = 10
    filters: Filter | None = None
    ranking_options: SearchRankingOptions = SearchRankingOptions()

    @property
    def queries(self) -> list[str]:
        """Return the queries to search for, rewritten if the client asked for that."""
        asked = self.query if isinstance(self.query, list) else [self.query]
        return [rewritten(query) for query in asked] if self.rewrite_query else asked


class SearchResult(Object):
    file_id: FileId
    filename: str
    score: float
    attributes: dict[str, Any] | None
    content: list[TextContent]


class SearchResultsPage(Object):
    object: Literal["vector_store.search_results.page"] = "vector_store.search_results.page"
    search_query: list[str]
    data: list[SearchResult]
    has_more: bool = False
    next_page: str | None = None
