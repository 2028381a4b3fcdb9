"""Send requests to one OpenSearch index: create it, write to it, search it."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from opensearchpy import OpenSearch
from opensearchpy.exceptions import NotFoundError, OpenSearchException, RequestError
from opensearchpy.helpers import streaming_bulk

from assistants.adapters.search.opensearch_documents import Source
from assistants.adapters.search.opensearch_queries import Body
from assistants.ports.search import SearchUnavailableError

Response = dict[str, Any]
Action = dict[str, Any]

BULK_BYTES = 5 * 2**20
# Seconds between attempts of a write that is throttled, or whose index is not visible yet: a new
# one took Serverless 15 seconds. https://github.com/apache/flink-agents/pull/678
PAUSES = (1, 2, 4, 8, 15, 15, 15)
MISSING_INDEX = "index_not_found_exception"


class OpenSearchRequests:
    """Send requests to OpenSearch. Raise `SearchUnavailableError` if it refuses or is silent."""

    def __init__(
        self,
        client: OpenSearch,
        index: str,
        body: dict[str, Any],
        *,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client = client
        self._index = index
        self._body = body
        self._sleep = sleep
        self._created = False

    def add(self, sources: Sequence[Source]) -> None:
        """Write documents, whose ids OpenSearch generates."""
        if sources:
            self._create()
            self._write([{"_op_type": "index", "_source": source} for source in sources])

    def delete(self, ids: Sequence[str]) -> None:
        """Delete documents that a search has found. Ignore those that are gone by now."""
        self._write([{"_op_type": "delete", "_id": identifier} for identifier in ids])

    def search(self, bodies: Sequence[Body]) -> list[Response]:
        """Return a response to each search. An index that is not visible yet is empty."""
        if not bodies:
            return []
        header = {"index": self._index, "ignore_unavailable": True}
        lines = [line for body in bodies for line in (header, body)]
        with _reported():
            responses: list[Response] = self._client.msearch(body=lines)["responses"]
        return [_checked(response) for response in responses]

    def wake(self) -> None:
        nothing: Body = {"query": {"match_none": {}}}
        with _reported():
            try:
                self._client.count(body=nothing, index=self._index, ignore_unavailable=True)
            except NotFoundError as error:
                if error.error != MISSING_INDEX:
                    raise

    def _write(self, actions: Sequence[Action]) -> None:
        for pause in (*PAUSES, None):
            actions = self._attempt(actions)
            if not actions:
                return
            if pause is not None:
                self._sleep(pause)
        raise SearchUnavailableError(f"The search index does not accept {len(actions)} writes.")

    def _attempt(self, actions: Sequence[Action]) -> list[Action]:
        """Send the actions. Return those to be sent again."""
        again = []
        with _reported():
            results = streaming_bulk(
                self._client,
                actions,
                index=self._index,
                max_chunk_bytes=BULK_BYTES,
                raise_on_error=False,
                raise_on_exception=False,
            )
            for action, (done, result) in zip(actions, results, strict=True):
                [(operation, outcome)] = result.items()
                status = outcome.get("status")
                if done or (operation == "delete" and status == 404):
                    continue
                if status not in (404, 429):
                    raise SearchUnavailableError(f"The search index failed: {outcome.get('error')}")
                again.append(action)
        return again

    def _create(self) -> None:
        """Create the index before the first write, which would create it with another mapping."""
        if self._created:
            return
        with _reported():
            try:
                self._client.indices.create(index=self._index, body=self._body)
            except RequestError as error:
                if error.error != "resource_already_exists_exception":
                    raise
        self._created = True


def _checked(response: Response) -> Response:
    if "error" not in response:
        return response
    if response["error"]["type"] == MISSING_INDEX:
        return {"hits": {"hits": []}}
    raise SearchUnavailableError(f"The search index failed: {response['error']}")


@contextmanager
def _reported() -> Iterator[None]:
    try:
        yield
    except OpenSearchException as error:
        raise SearchUnavailableError(f"The search index failed: {error}") from error
