"""The OpenSearch adapter in both dialects, on a node in memory: no Java is needed."""

from collections.abc import Iterator

import pytest
from opensearchpy import OpenSearch

from assistants.adapters.search import opensearch, opensearch_queries
from assistants.adapters.search.opensearch import OpenSearchIndex
from assistants.adapters.search.opensearch_client import Dialect, connect
from assistants.adapters.search.opensearch_mapping import index_body
from assistants.adapters.search.opensearch_requests import PAUSES
from assistants.ports.search import Query, SearchIndex, SearchUnavailableError
from tests.support.index_contract import (
    DIMENSIONS,
    NOWHERE,
    PROJECT,
    STORE,
    IndexContract,
    chunk,
    document,
)
from tests.support.late_index_contract import LateIndex, LateIndexContract
from tests.support.opensearch.exchange import Answer, Handler, Request, Server
from tests.support.opensearch.memory import MemoryNode
from tests.support.opensearch.refusals import bulk_operations
from tests.support.opensearch.serverless import Serverless, signed_client


def opened(client: OpenSearch, dialect: Dialect = "serverless") -> OpenSearchIndex:
    return OpenSearchIndex(
        client, model="hashing", dimensions=DIMENSIONS, dialect=dialect, sleep=lambda _: None
    )


def serve(handler: Handler) -> Iterator[OpenSearch]:
    with Server(handler) as server:
        client = signed_client(server.url)
        yield client
        client.close()


class TestNode(IndexContract):
    @pytest.fixture
    def index(self) -> Iterator[SearchIndex]:
        with Server(MemoryNode()) as server:
            client = connect(server.url)
            yield opened(client, "node")
            client.close()


class TestServerless(IndexContract):
    @pytest.fixture
    def index(self) -> Iterator[SearchIndex]:
        for client in serve(Serverless(MemoryNode(), refresh="1s", hidden=3)):
            yield opened(client)


class TestLateServerless(LateIndexContract):
    @pytest.fixture
    def late(self) -> Iterator[LateIndex]:
        node = MemoryNode()
        serverless = Serverless(node)
        for client in serve(serverless):
            yield LateIndex(opened(client), serverless.refresh, node.stored)


class TestLateServerlessWithSmallAnswers(TestLateServerless):
    """The same where no answer holds all the copies of a document."""

    @pytest.fixture(autouse=True)
    def small_answers(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(opensearch, "MAX_HITS", 4)
        monkeypatch.setattr(opensearch, "LISTED", 2)
        monkeypatch.setattr(opensearch, "REWRITTEN", 1)
        monkeypatch.setattr(opensearch_queries, "MAX_HITS", 4)


def test_a_new_index_that_is_not_shown_yet_is_waited_for() -> None:
    pauses: list[float] = []
    for client in serve(Serverless(MemoryNode(), refresh="1s", hidden=4)):
        index = OpenSearchIndex(
            client, model="m", dimensions=4, dialect="serverless", sleep=pauses.append
        )
        index.put(document("a"), [chunk(0, "word"), chunk(1, "word")], [NOWHERE] * 2)
        assert pauses == [1, 2, 4, 8]
        assert index.count(document("a")) == 2


def test_an_index_that_is_not_shown_yet_is_empty_to_readers() -> None:
    for client in serve(Serverless(MemoryNode(), refresh="1s", hidden=9)):
        index = opened(client)
        client.indices.create(index=index.name, body=index_body(DIMENSIONS, "serverless"))
        index.wake()
        assert index.count(document("a")) == 0
        index.delete(document("a"), 1)
        assert not index.set_attributes(document("a"), 1)


def test_a_write_to_an_index_that_never_shows_is_no_success() -> None:
    for client in serve(Serverless(MemoryNode(), hidden=99)):
        with pytest.raises(SearchUnavailableError, match="does not accept 1 writes"):
            opened(client).put(document("a"), [chunk(0, "word")], [NOWHERE])


def failing_once(status: int) -> Handler:
    """A node that refuses each chunk of the first write with this status."""
    node, first = MemoryNode(), iter([True])

    def handle(request: Request) -> Answer:
        if not request.path.endswith("_bulk") or not next(first, False):
            return node(request)
        outcome = {"status": status, "error": {"type": "es_rejected_execution_exception"}}
        items = [{kind: outcome} for kind, _, _ in bulk_operations(request)]
        return Answer.of({"errors": True, "items": items})

    return handle


def test_chunks_that_are_throttled_are_sent_again() -> None:
    for client in serve(failing_once(429)):
        index = opened(client)
        index.put(document("a"), [chunk(0, "word"), chunk(1, "word")], [NOWHERE] * 2)
        assert index.count(document("a")) == 2


def test_chunks_that_are_refused_are_no_success() -> None:
    for client in serve(failing_once(500)):
        with pytest.raises(SearchUnavailableError, match="es_rejected_execution_exception"):
            opened(client).put(document("a"), [chunk(0, "word")], [NOWHERE])


def test_an_attribute_change_loses_no_chunk_when_it_fails() -> None:
    node = MemoryNode()
    for client in serve(node):
        opened(client).put(document("a"), [chunk(0, "word")], [NOWHERE])

    def full(request: Request) -> Answer:
        return Answer(403) if request.path.endswith("_bulk") else node(request)

    for client in serve(full):
        with pytest.raises(SearchUnavailableError):
            opened(client).set_attributes(document("a", year=2), 1)
    assert node.stored(document("a")) == 1


def test_vectors_that_do_not_come_back_are_not_lost() -> None:
    """An index that answers without them, whatever it is asked for."""
    node = MemoryNode()

    def without_vectors(request: Request) -> Answer:
        answer = node(request)
        return Answer(answer.status, answer.body.replace(b'"vector"', b'"left out"'))

    for client in serve(without_vectors):
        index = opened(client)
        index.put(document("a"), [chunk(0, "word")], [NOWHERE])
        with pytest.raises(SearchUnavailableError, match="without their vectors"):
            index.set_attributes(document("a", year=2), 1)
    assert node.stored(document("a")) == 1


def test_a_wait_for_a_new_index_is_long_enough() -> None:
    """15 seconds have been seen: https://github.com/apache/flink-agents/pull/678"""
    assert sum(PAUSES) >= 4 * 15


def test_no_chunk_is_written_or_asked_for_by_an_id_of_ours() -> None:
    node, seen = MemoryNode(), []

    def watched(request: Request) -> Answer:
        seen.append(request)
        return node(request)

    for client in serve(watched):
        index = opened(client)
        index.put(document("a"), [chunk(0, "word")], [NOWHERE])
        index.set_attributes(document("a", year=2), 1)
        index.search(PROJECT, [STORE], [Query("word", NOWHERE)])
        index.delete(document("a"), 1)
    kinds = [
        (kind, "_id" in named)
        for request in seen
        if request.path.endswith("_bulk")
        for kind, named, _ in bulk_operations(request)
    ]
    assert kinds == [("index", False), ("index", False), ("delete", True), ("delete", True)]
    assert {request.path.rpartition("/")[2] for request in seen} == {
        "_bulk", "_msearch", index.name
    }  # fmt: skip
