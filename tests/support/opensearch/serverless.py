"""OpenSearch Serverless before a node: it refuses, and shows writes late and new indexes later."""

import json
from typing import Any

from botocore.credentials import Credentials
from opensearchpy import OpenSearch

from assistants.adapters.search.opensearch_client import connect
from tests.support.opensearch import refusals
from tests.support.opensearch.exchange import Answer, Handler, Request

MANUALLY = "-1"


class Serverless:
    """A handler in front of another, which shows writes after each `refresh`.

    `hidden` is how many requests to a new index are answered as if it did not exist; a bulk request
    as a whole and item by item in turns, as both have been seen:
    https://github.com/opensearch-project/opensearch-js/issues/687
    https://github.com/Sage-Bionetworks/Synapse-Repository-Services/pull/5678
    """

    def __init__(self, node: Handler, *, refresh: str = MANUALLY, hidden: int = 0) -> None:
        self._node = node
        self._refresh = refresh
        self._hidden = hidden
        self._until_shown: dict[str, int] = {}

    def __call__(self, request: Request) -> Answer:
        refusal = refusals.refused(request)
        if refusal is not None:
            return refusal
        operation = request.path.rpartition("/")[2]
        if request.method == "PUT":
            return self._create(request)
        if operation == "_bulk":
            return self._write(request)
        if operation == "_msearch":
            return self._search(request)
        if operation == "_count" and self._hides(request.path.split("/")[1]):
            return Answer.of({"error": _missing(), "status": 404}, 404)
        return self._node(request)

    def refresh(self) -> None:
        """Show what has been written."""
        assert self._node(Request("POST", "/_refresh", {}, b"")).status == 200

    def _create(self, request: Request) -> Answer:
        """The engine is chosen by Serverless; the node here has no other than Lucene's."""
        body = json.loads(request.text)
        for field in body["mappings"]["properties"].values():
            if field["type"] == "knn_vector":
                del field["compression_level"]
                field["method"] = {"name": "hnsw", "engine": "lucene"}
        body["settings"]["index"]["refresh_interval"] = self._refresh
        answer = self._node(_with_body(request, json.dumps(body)))
        if answer.status == 200:
            self._until_shown[request.path[1:]] = self._hidden
        return answer

    def _write(self, request: Request) -> Answer:
        operations = refusals.bulk_operations(request)
        items = [refusals.refused_operation(kind, named) for kind, named, _ in operations]
        if any(items):
            return Answer.of({"errors": True, "items": items})
        index = request.path.split("/")[1]
        if not self._hides(index):
            return self._node(request)
        if self._until_shown[index] % 2:
            return Answer.of({"error": _missing(), "status": 404}, 404)
        missing = [{kind: {"status": 404, "error": _missing()}} for kind, _, _ in operations]
        return Answer.of({"errors": True, "items": missing})

    def _search(self, request: Request) -> Answer:
        """Leave vectors out unless a source is asked for, as NextGen does.

        https://docs.aws.amazon.com/opensearch-service/latest/developerguide/serverless-vector-search.html
        """
        lines = request.lines
        if self._hides(lines[0]["index"]):
            responses = [{"error": _missing(), "status": 404} for _ in lines[::2]]
            return Answer.of({"responses": responses})
        for body in lines[1::2]:
            body.setdefault("_source", {"excludes": ["vector"]})
        return self._node(_with_body(request, "".join(json.dumps(one) + "\n" for one in lines)))

    def _hides(self, index: str) -> bool:
        left = self._until_shown.get(index, 0)
        self._until_shown[index] = max(left - 1, 0)
        return left > 0


def _with_body(request: Request, text: str) -> Request:
    return Request(request.method, request.target, request.headers, text.encode())


def _missing() -> dict[str, Any]:
    return {"type": "index_not_found_exception", "reason": "no such index"}


def signed_client(url: str) -> OpenSearch:
    """Return a client as that of a collection, but for its address."""
    credentials = Credentials("test", "test")
    return connect(url, credentials=credentials, region="eu-central-1", service="aoss")
