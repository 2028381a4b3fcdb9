"""Convert chunks to documents of OpenSearch and back.

A chunk is identified by its document and number. Each write adds a copy of it, whose id OpenSearch
generates. Only the newest copy of a chunk counts.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from assistants.domain.attributes import token
from assistants.domain.retrieval.passage import Chunk, Document, Passage
from assistants.domain.retrieval.ranking import Hit

Source = dict[str, Any]
FoundHit = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Copy:
    """Hold one copy of a chunk. `written` sorts by time."""

    id: str
    number: int
    written: str
    pairs: dict[str, Any]

    @classmethod
    def from_hit(cls, hit: FoundHit) -> "Copy":
        source = hit["_source"]
        return cls(hit["_id"], source["number"], source["written"], source["pairs"])

    def carries(self, attributes: Source) -> bool:
        """Compare the attributes as JSON, in which 1, 1.0 and true differ."""
        return json.dumps(self.pairs) == json.dumps(attributes["pairs"])


def store_key(project: str, vector_store_id: str) -> str:
    return f"{project}#{vector_store_id}"


def document_key(document: Document) -> str:
    store = store_key(document.project, document.vector_store_id)
    return "#".join([store, document.file_id, document.entry_id])


def source_of(document: Document, chunk: Chunk, vector: Sequence[float], *, written: str) -> Source:
    """Return the document of a chunk. `kept` and `pairs` are stored, but not indexed."""
    return {
        "store": store_key(document.project, document.vector_store_id),
        "document": document_key(document),
        "number": chunk.number,
        "context": chunk.context(document.filename),
        "text": chunk.text,
        "vector": list(vector),
        "kept": {
            "project": document.project,
            "vector_store_id": document.vector_store_id,
            "file_id": document.file_id,
            "entry_id": document.entry_id,
            "filename": document.filename,
            "span": [chunk.start, chunk.end],
            "pages": chunk.pages,
            "headings": chunk.headings,
        },
        "written": written,
        **attribute_fields(document),
    }


def attribute_fields(document: Document) -> Source:
    """Return the fields that change with the attributes."""
    tokens = [token(key, value) for key, value in document.attributes.items()]
    items = [list(pair) for pair in document.attributes.items()]
    return {"attributes": tokens, "pairs": {"items": items}}


def newest_copies(copies: Iterable[Copy]) -> dict[int, Copy]:
    """Return the newest copy of each chunk by the chunk's number."""
    newest: dict[int, Copy] = {}
    for copy in copies:
        if copy.number not in newest or newest[copy.number].written < copy.written:
            newest[copy.number] = copy
    return newest


def distinct(hits: Sequence[FoundHit]) -> list[FoundHit]:
    """Keep only the newest copy of each chunk."""
    newest: dict[tuple[str, int], FoundHit] = {}
    for hit in hits:
        key = hit["_source"]["document"], hit["_source"]["number"]
        if key not in newest or newest[key]["_source"]["written"] < hit["_source"]["written"]:
            newest[key] = hit
    chosen = {hit["_id"] for hit in newest.values()}
    return [hit for hit in hits if hit["_id"] in chosen]


def passages(hits: Sequence[FoundHit], *, cosine: bool) -> list[Hit]:
    """Return the passages. `cosine`: convert the scores of `cosinesimil`, (1 + cosine) / 2."""
    return [
        Hit(_passage(hit["_source"]), 2 * hit["_score"] - 1 if cosine else hit["_score"])
        for hit in hits
    ]


def _passage(stored: Source) -> Passage:
    kept = stored["kept"]
    document = Document(
        kept["project"], kept["vector_store_id"], kept["file_id"], kept["entry_id"],
        kept["filename"], dict(stored["pairs"]["items"]),
    )  # fmt: skip
    pages = tuple(kept["pages"]) if kept["pages"] else None
    start, end = kept["span"]
    headings = tuple(kept["headings"])
    return Passage(document, Chunk(stored["number"], stored["text"], start, end, pages, headings))
