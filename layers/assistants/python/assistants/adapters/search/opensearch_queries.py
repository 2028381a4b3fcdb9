"""The questions to OpenSearch: the nearest, the best matching, the copies of chunks, filters."""

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

LARGEST_ANSWER = 10_000  # hits or buckets, as every index allows


def within(
    project: ProjectId,
    stores: Sequence[str],
    condition: Comparison | Compound | None,
    without: Collection[Document],
) -> list[Clause]:
    """Return what a chunk must pass to be searched at all."""
    clauses: list[Clause] = [{"terms": {"store": [store_key(project, one) for one in stores]}}]
    if condition is not None:
        clauses.append(clause(condition))
    if without:
        absent = [document_key(document) for document in without]
        clauses.append({"bool": {"must_not": {"terms": {"document": absent}}}})
    return clauses


def nearest(vector: Vector, filters: list[Clause], size: int) -> Clause:
    """The filter stands inside the k-NN clause: it narrows before the nearest are taken."""
    knn = {"vector": vector, "k": size, "filter": {"bool": {"filter": filters}}}
    return _ranked({"knn": {"vector": knn}}, size)


def matching(text: str, filters: list[Clause], size: int) -> Clause:
    words = " ".join(query_words(text))
    match = {"match": {"words": {"query": words}}}
    return _ranked({"bool": {"must": match, "filter": filters}}, size)


def copies(document: Document, first: int, end: int) -> Clause:
    """Ask for the copies of the chunks with numbers from `first` up to and without `end`."""
    chosen = [
        {"term": {"document": document_key(document)}},
        {"range": {"number": {"gte": first, "lt": end}}},
    ]
    return {
        "size": LARGEST_ANSWER,
        "query": {"bool": {"filter": chosen}},
        "_source": ["number", "written", "pairs"],
        "track_total_hits": False,
    }


def sources(document: Document, copies: Sequence[Copy]) -> Clause:
    """Ask for these copies whole. NextGen leaves vectors out of what is not asked for whole."""
    chosen = [
        {"term": {"document": document_key(document)}},
        {"terms": {"number": [copy.number for copy in copies]}},
        {"terms": {"written": sorted({copy.written for copy in copies})}},
    ]
    return {
        "size": LARGEST_ANSWER,
        "query": {"bool": {"filter": chosen}},
        "_source": True,
        "track_total_hits": False,
    }


def numbers(document: Document, after: Clause | None) -> Clause:
    """Ask for the numbers of a document's chunks, each once, beyond the key `after`."""
    listed: Clause = {
        "size": LARGEST_ANSWER,
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


def buckets(answer: dict[str, Any]) -> list[Clause]:
    """Return what answers `numbers`: nothing, from an index that does not show yet."""
    found: list[Clause] = (
        answer["aggregations"]["numbers"]["buckets"] if "aggregations" in answer else []
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


def _ranked(query: Clause, size: int) -> Clause:
    return {
        "size": size,
        "query": query,
        "_source": ["document", "number", "written", "text", "kept", "pairs"],
        "track_total_hits": False,
    }


def _bounds(condition: Comparison, wanted: str) -> dict[str, str]:
    """Between the wanted token and the end of its key's tokens of the same kind."""
    if isinstance(condition.value, list):
        raise TypeError("an order needs one value")
    kind = kind_of(condition.value)
    if condition.type in ("gt", "gte"):
        return {condition.type: wanted, "lt": prefix_end(condition.key, kind)}
    return {condition.type: wanted, "gte": prefix(condition.key, kind)}
