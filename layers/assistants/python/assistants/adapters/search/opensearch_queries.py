"""How chunks, filters and queries are written for OpenSearch.

Every attribute of every file is a token in one keyword field, so that the mapping never grows.
"""

import hashlib
import re
from collections.abc import Collection, Sequence
from typing import Any, Literal

from assistants.domain.attributes import kind_of, prefix, prefix_end, token
from assistants.domain.filters import Comparison, Compound
from assistants.domain.ids import ProjectId
from assistants.domain.retrieval.passage import Chunk, Document, Passage
from assistants.domain.retrieval.query_terms import query_words
from assistants.domain.retrieval.ranking import Hit
from assistants.ports.search import Vector

Engine = Literal["faiss", "lucene"]
Clause = dict[str, Any]

# Cut into words as the embedded index cuts: letters, digits and marks, no case, no accents, stems.
ANALYSIS = {
    "char_filter": {
        "letters": {
            "type": "pattern_replace",
            "pattern": r"[^\p{L}\p{N}\p{M}]+",
            "replacement": " ",
        }
    },
    "analyzer": {
        "words": {
            "type": "custom",
            "char_filter": ["letters"],
            "tokenizer": "standard",
            "filter": ["lowercase", "asciifolding", "porter_stem"],
        }
    },
}


def index_name(model: str, dimensions: int) -> str:
    """One index for each embedding model and dimension, as vectors of two cannot be compared."""
    readable = re.sub(r"[^a-z0-9]+", "-", model.lower()).strip("-")[:64]
    digest = hashlib.sha256(model.encode()).hexdigest()[:8]
    return f"chunks-{readable}-{digest}-{dimensions}"


def index_body(dimensions: int, engine: Engine) -> dict[str, Any]:
    vector = {
        "type": "knn_vector",
        "dimension": dimensions,
        "method": {"name": "hnsw", "engine": engine, "space_type": "cosinesimil"},
    }
    return {
        "settings": {"index": {"knn": True}, "analysis": ANALYSIS},
        "mappings": {
            "dynamic": "strict",
            "properties": {
                "store": {"type": "keyword"},
                "document": {"type": "keyword"},
                "attributes": {"type": "keyword"},
                "words": {"type": "text", "analyzer": "words"},
                "context": {"type": "text", "index": False, "copy_to": "words"},
                "text": {"type": "text", "index": False, "copy_to": "words"},
                "vector": vector,
                "kept": {"type": "object", "enabled": False},
                "pairs": {"type": "object", "enabled": False},
            },
        },
    }


def chunk_id(document: Document, number: int) -> str:
    return f"{document_key(document)}#{number}"


def document_key(document: Document) -> str:
    return "#".join([_store(document), document.file_id, document.entry_id])


def source(document: Document, chunk: Chunk, vector: Sequence[float]) -> dict[str, Any]:
    """The stored form of a chunk; `kept` and `pairs` are only given back."""
    return {
        "store": _store(document),
        "document": document_key(document),
        "context": chunk.context(document.filename),
        "text": chunk.text,
        "vector": list(vector),
        "kept": {
            "project": document.project,
            "vector_store_id": document.vector_store_id,
            "file_id": document.file_id,
            "entry_id": document.entry_id,
            "filename": document.filename,
            "number": chunk.number,
            "span": [chunk.start, chunk.end],
            "pages": chunk.pages,
            "headings": chunk.headings,
        },
        **attribute_fields(document),
    }


def attribute_fields(document: Document) -> dict[str, Any]:
    """The part of the stored form that can change. Pairs in a list: an update replaces a list,
    where it would merge an object with what was there.
    """
    tokens = [token(key, value) for key, value in document.attributes.items()]
    return {"attributes": tokens, "pairs": {"items": list(document.attributes.items())}}


def within(
    project: ProjectId,
    stores: Sequence[str],
    condition: Comparison | Compound | None,
    without: Collection[Document],
) -> list[Clause]:
    """What a chunk must pass to be searched at all."""
    clauses: list[Clause] = [{"terms": {"store": [f"{project}#{store}" for store in stores]}}]
    if condition is not None:
        clauses.append(clause(condition))
    if without:
        absent = [document_key(document) for document in without]
        clauses.append({"bool": {"must_not": {"terms": {"document": absent}}}})
    return clauses


def nearest(vector: Vector, filters: list[Clause], limit: int) -> dict[str, Any]:
    """The filter stands inside the k-NN clause: it narrows before the nearest are taken."""
    knn = {"vector": vector, "k": limit, "filter": {"bool": {"filter": filters}}}
    return _search({"knn": {"vector": knn}}, limit)


def matching(text: str, filters: list[Clause], limit: int) -> dict[str, Any]:
    words = " ".join(query_words(text))
    match = {"match": {"words": {"query": words}}}
    return _search({"bool": {"must": match, "filter": filters}}, limit)


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


def hits(answer: dict[str, Any], *, cosine: bool) -> list[Hit]:
    """With `cosine` the scores of `cosinesimil`, which are (1 + cosine) / 2, are undone."""
    found = answer["hits"]["hits"]
    return [
        Hit(_passage(hit["_source"]), 2 * hit["_score"] - 1 if cosine else hit["_score"])
        for hit in found
    ]


def _passage(stored: dict[str, Any]) -> Passage:
    kept = stored["kept"]
    document = Document(
        kept["project"], kept["vector_store_id"], kept["file_id"], kept["entry_id"],
        kept["filename"], dict(stored["pairs"]["items"]),
    )  # fmt: skip
    pages = tuple(kept["pages"]) if kept["pages"] else None
    start, end = kept["span"]
    headings = tuple(kept["headings"])
    return Passage(document, Chunk(kept["number"], stored["text"], start, end, pages, headings))


def _search(query: Clause, limit: int) -> dict[str, Any]:
    return {
        "size": limit,
        "query": query,
        "_source": ["text", "kept", "pairs"],
        "track_total_hits": False,
    }


def _store(document: Document) -> str:
    return f"{document.project}#{document.vector_store_id}"


def _bounds(condition: Comparison, wanted: str) -> dict[str, str]:
    """Between the wanted token and the end of its key's tokens of the same kind."""
    if isinstance(condition.value, list):
        raise TypeError("an order needs one value")
    kind = kind_of(condition.value)
    if condition.type in ("gt", "gte"):
        return {condition.type: wanted, "lt": prefix_end(condition.key, kind)}
    return {condition.type: wanted, "gte": prefix(condition.key, kind)}
