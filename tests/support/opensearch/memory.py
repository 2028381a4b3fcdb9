"""A node in memory: as much of OpenSearch as the search index asks for, with exact neighbours."""

import json
import uuid
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from assistants.adapters.search.opensearch_documents import document_key
from assistants.domain.retrieval.passage import Document
from tests.support.opensearch.exchange import Answer, Request
from tests.support.opensearch.memory_query import Clause, Source, find
from tests.support.opensearch.refusals import bulk_operations


@dataclass
class _Index:
    """`shown` is what a search sees of `documents`: all of it, or what was there at a refresh."""

    waits: bool
    documents: dict[str, Source] = field(default_factory=dict)
    at_refresh: dict[str, Source] = field(default_factory=dict)

    @property
    def shown(self) -> dict[str, Source]:
        return self.at_refresh if self.waits else self.documents


class MemoryNode:
    """A handler of requests. An index whose `refresh_interval` is -1 waits for `_refresh`."""

    def __init__(self) -> None:
        self._indexes: dict[str, _Index] = {}
        self._lock = Lock()

    def __call__(self, request: Request) -> Answer:
        name, _, operation = request.path[1:].rpartition("/")
        with self._lock:
            if operation == "_refresh":
                return self._refresh()
            if operation == "_bulk":
                return self._write(name, request)
            if operation == "_msearch":
                return self._search_all(request)
            if operation == "_count":
                return Answer.of({"count": 0})
            assert request.method == "PUT", request
            return self._create(operation, json.loads(request.text))

    def documents(self) -> list[Source]:
        """Return everything that is stored, shown or not."""
        return [one for index in self._indexes.values() for one in index.documents.values()]

    def clear(self) -> None:
        """Lose everything that is stored."""
        for index in self._indexes.values():
            index.documents.clear()

    def stored(self, owner: Document) -> int:
        """Count the copies of a document's chunks."""
        return [one["document"] for one in self.documents()].count(document_key(owner))

    def _create(self, name: str, body: dict[str, Any]) -> Answer:
        if name in self._indexes:
            kind = "resource_already_exists_exception"
            return Answer.of({"error": {"type": kind, "reason": name}, "status": 400}, 400)
        interval = body["settings"]["index"].get("refresh_interval")
        self._indexes[name] = _Index(waits=interval == "-1")
        return Answer.of({"acknowledged": True})

    def _refresh(self) -> Answer:
        for index in self._indexes.values():
            index.at_refresh = dict(index.documents)
        return Answer.of({})

    def _write(self, name: str, request: Request) -> Answer:
        items = []
        for kind, named, document in bulk_operations(request):
            documents = self._indexes[name].documents
            identifier = named.get("_id") or uuid.uuid4().hex
            known = identifier in documents
            if document is None:
                documents.pop(identifier, None)
            else:
                documents[identifier] = document
            status = 404 if document is None and not known else 200
            items.append({kind: {"_id": identifier, "status": status}})
        return Answer.of({"errors": False, "items": items})

    def _search_all(self, request: Request) -> Answer:
        lines = request.lines
        pairs = zip(lines[::2], lines[1::2], strict=True)
        return Answer.of({"responses": [self._search(one["index"], body) for one, body in pairs]})

    def _search(self, name: str, body: dict[str, Any]) -> dict[str, Any]:
        if name not in self._indexes:
            return {"hits": {"hits": []}}  # asked with `ignore_unavailable`
        documents = self._indexes[name].shown
        scores = find(documents, body["query"])
        best = sorted(scores, key=lambda one: -scores[one])[: body["size"]]
        hits = [
            {"_id": one, "_score": scores[one], "_source": _chosen(documents[one], body["_source"])}
            for one in best
        ]
        answer: dict[str, Any] = {"hits": {"hits": hits}}
        if "aggs" in body:
            found = {one: documents[one] for one in scores}
            answer["aggregations"] = {"numbers": _buckets(found, body["aggs"]["numbers"])}
        return answer


def _chosen(document: Source, wanted: Any) -> Source:
    if wanted is True:
        return document
    if isinstance(wanted, dict):
        return {name: one for name, one in document.items() if name not in wanted["excludes"]}
    return {name: document[name] for name in wanted}


def _buckets(found: dict[str, Source], aggregation: Clause) -> dict[str, Any]:
    asked = aggregation["composite"]
    after = asked.get("after", {"number": -1})["number"]
    numbers = sorted({one["number"] for one in found.values() if one["number"] > after})
    return {"buckets": [{"key": {"number": one}} for one in numbers[: asked["size"]]]}
