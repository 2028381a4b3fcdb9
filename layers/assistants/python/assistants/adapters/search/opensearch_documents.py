"""How chunks are stored in OpenSearch, and read back.

A chunk is known by its document and number. Each write of it adds a copy, under an id that the
index makes; of the copies of one chunk the one that was written last counts.
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
    """A chunk as it was written once. `written` sorts by time."""

    id: str
    number: int
    written: str
    pairs: dict[str, Any]

    @classmethod
    def from_hit(cls, hit: FoundHit) -> "Copy":
        source = hit["_source"]
        return cls(hit["_id"], source["number"], source["written"], source["pairs"])

    def carries(self, attributes: Source) -> bool:
        """Tell whether these are its attributes. As JSON, where 1, 1.0 and true are three."""
        return json.dumps(self.pairs) == json.dumps(attributes["pairs"])


def store_key(project: str, vector_store_id: str) -> str:
    return f"{project}#{vector_store_id}"


def document_key(document: Document) -> str:
    store = store_key(document.project, document.vector_store_id)
    return "#".join([store, document.file_id, document.entry_id])


def source_of(document: Document, chunk: Chunk, vector: Sequence[float], *, written: str) -> Source:
    """Return the stored form of a chunk; `kept` and `pairs` are only given back."""
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
    """Return the part of the stored form that changes with the attributes."""
    tokens = [token(key, value) for key, value in document.attributes.items()]
    items = [list(pair) for pair in document.attributes.items()]
    return {"attributes": tokens, "pairs": {"items": items}}


def newest_copies(copies: Iterable[Copy]) -> dict[int, Copy]:
    """Return the copy of each chunk that was written last, by the chunk's number."""
    newest: dict[int, Copy] = {}
    for copy in copies:
        if copy.number not in newest or newest[copy.number].written < copy.written:
            newest[copy.number] = copy
    return newest


def distinct(hits: Sequence[FoundHit]) -> list[FoundHit]:
    """Leave out all copies of a chunk but the one that was written last."""
    newest: dict[tuple[str, int], FoundHit] = {}
    for hit in hits:
        key = hit["_source"]["document"], hit["_source"]["number"]
        if key not in newest or newest[key]["_source"]["written"] < hit["_source"]["written"]:
            newest[key] = hit
    chosen = {hit["_id"] for hit in newest.values()}
    return [hit for hit in hits if hit["_id"] in chosen]


def passages(hits: Sequence[FoundHit], *, cosine: bool) -> list[Hit]:
    """With `cosine` the scores of `cosinesimil`, which are (1 + cosine) / 2, are undone."""
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
