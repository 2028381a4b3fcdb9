"""The requests to one OpenSearch index: it is created, written and read here."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from opensearchpy import OpenSearch
from opensearchpy.exceptions import NotFoundError, OpenSearchException, RequestError
from opensearchpy.helpers import streaming_bulk

from assistants.adapters.search.opensearch_documents import Source
from assistants.adapters.search.opensearch_queries import Clause
from assistants.ports.search import SearchUnavailableError

Answer = dict[str, Any]
Action = dict[str, Any]

BULK_BYTES = 5 * 2**20
# Between the tries of a write that is throttled, or that meets an index which does not show yet:
# Serverless may take 15 seconds to show a new one. https://github.com/apache/flink-agents/pull/678
PAUSES = (1, 2, 4, 8, 15, 15, 15)
MISSING_INDEX = "index_not_found_exception"


class OpenSearchRequests:
    """Raises `SearchUnavailableError` where OpenSearch refuses, or does not answer."""

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
        """Write each of these under an id that OpenSearch makes."""
        if sources:
            self._create()
            self._write([{"_op_type": "index", "_source": source} for source in sources])

    def remove(self, ids: Sequence[str]) -> None:
        """Remove what a search has shown. What is gone already is fine."""
        self._write([{"_op_type": "delete", "_id": identifier} for identifier in ids])

    def ask(self, questions: Sequence[Clause]) -> list[Answer]:
        """Return an answer to each question; an index that does not show yet holds nothing."""
        if not questions:
            return []
        header = {"index": self._index, "ignore_unavailable": True}
        body = [line for question in questions for line in (header, question)]
        with _reported():
            answers: list[Answer] = self._client.msearch(body=body)["responses"]
        return [_checked(answer) for answer in answers]

    def wake(self) -> None:
        nothing: Clause = {"query": {"match_none": {}}}
        with _reported():
            try:
                self._client.count(body=nothing, index=self._index, ignore_unavailable=True)
            except NotFoundError as error:
                if error.error != MISSING_INDEX:
                    raise

    def _write(self, actions: Sequence[Action]) -> None:
        for pause in (*PAUSES, None):
            actions = self._refused_for_now(actions)
            if not actions:
                return
            if pause is not None:
                self._sleep(pause)
        raise SearchUnavailableError(f"The search index does not take {len(actions)} chunks.")

    def _refused_for_now(self, actions: Sequence[Action]) -> list[Action]:
        """Send the actions; return those to be sent again."""
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
        """Before every first write: an index that a write creates would have another mapping."""
        if self._created:
            return
        with _reported():
            try:
                self._client.indices.create(index=self._index, body=self._body)
            except RequestError as error:
                if error.error != "resource_already_exists_exception":
                    raise
        self._created = True


def _checked(answer: Answer) -> Answer:
    if "error" not in answer:
        return answer
    if answer["error"]["type"] == MISSING_INDEX:
        return {"hits": {"hits": []}}
    raise SearchUnavailableError(f"The search index failed: {answer['error']}")


@contextmanager
def _reported() -> Iterator[None]:
    try:
        yield
    except OpenSearchException as error:
        raise SearchUnavailableError(f"The search index failed: {error}") from error
