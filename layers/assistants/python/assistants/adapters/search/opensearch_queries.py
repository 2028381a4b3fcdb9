"""Build the queries for OpenSearch: nearest and matching chunks, copies of chunks, filters."""

from collections.abc import Collection, Sequence
from typing import Any

from assistants.adapters.search.opensearch_documents import Copy, document_key, store_key
from assistants.domain.attributes import kind_of, prefix, prefix_end, token
from assistants.domain.filters import Comparison, Compound
from assistants.domain.ids import ProjectId
from assistants.domain.retrieval.passage import Document
from assistants.domain.retrieval.query_terms import query_words
from assistants.ports.search import Vector

Clause = dict[str, Any]
Body = dict[str, Any]  # of one search

MAX_HITS = 10_000  # or buckets, of one search: the default limit of every index


def filters_of(
    project: ProjectId,
    stores: Sequence[str],
    condition: Comparison | Compound | None,
    without: Collection[Document],
) -> list[Clause]:
    """Return the clauses that a chunk must match to be searched at all."""
    clauses: list[Clause] = [{"terms": {"store": [store_key(project, one) for one in stores]}}]
    if condition is not None:
        clauses.append(clause(condition))
    if without:
        absent = [document_key(document) for document in without]
        clauses.append({"bool": {"must_not": {"terms": {"document": absent}}}})
    return clauses


def nearest_query(vector: Vector, filters: list[Clause], size: int) -> Body:
    """Put the filter inside the k-NN clause, so that it applies before the nearest are taken."""
    knn = {"vector": vector, "k": size, "filter": {"bool": {"filter": filters}}}
    return _ranked({"knn": {"vector": knn}}, size)


def matching_query(text: str, filters: list[Clause], size: int) -> Body:
    words = " ".join(query_words(text))
    match = {"match": {"words": {"query": words}}}
    return _ranked({"bool": {"must": match, "filter": filters}}, size)


def copies_query(document: Document, first: int, end: int) -> Body:
    """Find the copies of the chunks with numbers from `first` up to, but not including, `end`."""
    chosen = [
        {"term": {"document": document_key(document)}},
        {"range": {"number": {"gte": first, "lt": end}}},
    ]
    return {
        "size": MAX_HITS,
        "query": {"bool": {"filter": chosen}},
        "_source": ["number", "written", "pairs"],
        "track_total_hits": False,
    }


def sources_query(document: Document, copies: Sequence[Copy]) -> Body:
    """Find these copies with all their fields. NextGen returns vectors only on request."""
    chosen = [
        {"term": {"document": document_key(document)}},
        {"terms": {"number": [copy.number for copy in copies]}},
        {"terms": {"written": sorted({copy.written for copy in copies})}},
    ]
    return {
        "size": MAX_HITS,
        "query": {"bool": {"filter": chosen}},
        "_source": True,
        "track_total_hits": False,
    }


def numbers_query(document: Document, after: Clause | None) -> Body:
    """List the numbers of a document's chunks, each once, after the bucket key `after`."""
    listed: Clause = {
        "size": MAX_HITS,
        "sources": [{"number": {"terms": {"field": "number"}}}],
    }
    if after is not None:
        listed["after"] = after
    return {
        "size": 0,
        "query": {"term": {"document": document_key(document)}},
        "aggs": {"numbers": {"composite": listed}},
        "track_total_hits": False,
    }


def number_buckets(response: dict[str, Any]) -> list[Clause]:
    """Return the buckets of `numbers_query`: none from an index that is not visible yet."""
    found: list[Clause] = (
        response["aggregations"]["numbers"]["buckets"] if "aggregations" in response else []
    )
    return found


def clause(condition: Comparison | Compound) -> Clause:
    if isinstance(condition, Compound):
        inner = [clause(one) for one in condition.filters]
        if condition.type == "and":
            return {"bool": {"filter": inner}}
        return {"bool": {"should": inner, "minimum_should_match": 1}}
    values = condition.value if isinstance(condition.value, list) else [condition.value]
    tokens = [token(condition.key, value) for value in values]
    if condition.type in ("eq", "in"):
        return {"terms": {"attributes": tokens}}
    if condition.type in ("ne", "nin"):
        return {"bool": {"must_not": {"terms": {"attributes": tokens}}}}
    return {"range": {"attributes": _bounds(condition, tokens[0])}}


def _ranked(query: Clause, size: int) -> Body:
    return {
        "size": size,
        "query": query,
        "_source": ["document", "number", "written", "text", "kept", "pairs"],
        "track_total_hits": False,
    }


def _bounds(condition: Comparison, wanted: str) -> dict[str, str]:
    """Limit the range to tokens of the same key and kind."""
    if isinstance(condition.value, list):
        raise TypeError("an order needs one value")
    kind = kind_of(condition.value)
    if condition.type in ("gt", "gte"):
        return {condition.type: wanted, "lt": prefix_end(condition.key, kind)}
    return {condition.type: wanted, "gte": prefix(condition.key, kind)}
