"""The OpenSearch adapter against a real node: the contract of every index, and its own mapping."""

import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from opensearchpy import OpenSearch

from assistants.adapters.search.opensearch import OpenSearchIndex
from assistants.adapters.search.opensearch_client import Dialect, connect
from assistants.adapters.search.opensearch_documents import document_key
from assistants.adapters.search.sqlite import SqliteIndex
from assistants.domain.retrieval.passage import Document
from assistants.domain.retrieval.ranking import Ranking, rank
from assistants.ports.search import Query, SearchIndex, SearchUnavailableError
from tests.support.hashing import HashingEmbedder
from tests.support.index_contract import (
    DIMENSIONS,
    NOWHERE,
    PROJECT,
    STORE,
    WordsContract,
    chunk,
    document,
    settle_count,
)
from tests.support.late_index_contract import LateIndex, LateIndexContract
from tests.support.opensearch.exchange import Server, forward
from tests.support.opensearch.serverless import Serverless, signed_client

FACTS = [
    "The printer reports a paper jam when the rear hatch is open.",
    "Toner is ordered by part number from the supplier in Rotterdam.",
    "Open the rear hatch and pull the sheet gently to clear a jam.",
    "The annual report lists revenue by region and by quarter.",
    "Revenue in the northern region grew by nine percent last year.",
    "Employees receive twenty five days of paid leave every year.",
    "Paid leave must be requested two weeks before it begins.",
    "The database is backed up every night to a second region.",
    "A backup can be restored within four hours by the operators.",
    "Passwords must have twelve characters and are changed every year.",
    "Reset a forgotten password with the link on the login page.",
    "The cafeteria opens at eight and serves lunch until two.",
]
QUESTIONS = [
    "how do I clear a paper jam",
    "reset password",
    "days of paid leave",
    "restore a backup",
    "revenue of the northern region",
    "when does the cafeteria open",
    "toner part number",
]


def opened(
    client: OpenSearch, dimensions: int = DIMENSIONS, dialect: Dialect = "node"
) -> OpenSearchIndex:
    """Open an index of its own for each test."""
    model = f"Test/{uuid.uuid4()}"
    return OpenSearchIndex(
        client, model=model, dimensions=dimensions, dialect=dialect, sleep=lambda _: None
    )


class TestNode(WordsContract):
    @pytest.fixture
    def index(self, client: OpenSearch) -> SearchIndex:
        return opened(client)


class TestServerless(WordsContract):
    """The node as a collection: it refuses, and does not show a new index at once."""

    @pytest.fixture
    def index(self, node: str, client: OpenSearch) -> Iterator[SearchIndex]:
        with Server(Serverless(forward(node), refresh="20ms", hidden=3)) as server:
            collection = signed_client(server.url)
            yield opened(collection, dialect="serverless")
            collection.close()


class TestLateServerless(LateIndexContract):
    """The same, which shows nothing before a test lets it."""

    @pytest.fixture
    def late(self, node: str, client: OpenSearch) -> Iterator[LateIndex]:
        serverless = Serverless(forward(node))

        def stored(owner: Document) -> int:
            body = {"query": {"term": {"document": document_key(owner)}}}
            counted: int = client.count(index=index.name, body=body)["count"]
            return counted

        with Server(serverless) as server:
            collection = signed_client(server.url)
            index = opened(collection, dialect="serverless")
            yield LateIndex(index, serverless.refresh, stored)
            collection.close()


def test_an_index_that_does_not_exist_yet_is_empty(client: OpenSearch) -> None:
    index = opened(client)
    index.wake()
    (found,) = index.search(PROJECT, [STORE], [Query("word", NOWHERE)])
    assert (found.nearest, found.matching) == ([], [])
    assert index.count(document("a")) == 0
    assert not client.indices.exists(index=index.name)


def test_the_first_chunk_creates_the_index_with_its_mapping(client: OpenSearch) -> None:
    index = opened(client)
    index.delete(document("a"), 1)
    index.set_attributes(document("a"), 1)
    assert not client.indices.exists(index=index.name)
    index.put(document("a"), [chunk(0, "word")], [NOWHERE])
    mapping = client.indices.get_mapping(index=index.name)[index.name]["mappings"]
    assert mapping["dynamic"] == "strict"
    assert mapping["properties"]["vector"]["type"] == "knn_vector"


def test_attributes_never_grow_the_mapping(client: OpenSearch) -> None:
    index = opened(client)
    index.put(document("a"), [chunk(0, "word")], [NOWHERE])
    before = client.indices.get_mapping(index=index.name)
    for number in range(20):
        pairs = {f"key {number}.x": number, "nested.y": str(number)}
        owner = replace(document(f"b{number}"), attributes=pairs)
        index.put(owner, [chunk(0, "word")], [NOWHERE])
    assert client.indices.get_mapping(index=index.name) == before


def test_two_writers_may_create_the_index(client: OpenSearch) -> None:
    model = f"Test/{uuid.uuid4()}"
    for name in ("a", "b"):
        index = OpenSearchIndex(client, model=model, dimensions=DIMENSIONS, dialect="node")
        index.put(document(name), [chunk(0, "word")], [NOWHERE])
        settle_count(index, document(name), 1)


def test_many_chunks_are_written_in_several_requests(client: OpenSearch) -> None:
    index, embedder = opened(client, 64), HashingEmbedder(64)
    chunks = [chunk(number, f"chunk {number} " + "x" * 20_000) for number in range(400)]
    index.put(document("big"), chunks, [embedder.query(one.text) for one in chunks])
    settle_count(index, document("big"), 400)
    index.delete(document("big"), 400)
    settle_count(index, document("big"), 0)


def test_both_indexes_rank_alike(client: OpenSearch, tmp_path: Path) -> None:
    embedder = HashingEmbedder(256)
    indexes: list[SearchIndex] = [
        opened(client, 256),
        SqliteIndex(tmp_path / "search.sqlite", model="hashing", dimensions=256),
    ]
    for number, fact in enumerate(FACTS):
        owner = document(f"{number:02}", entry_id=f"{number:02}")
        for index in indexes:
            index.put(owner, [chunk(0, fact)], [embedder.query(fact)])
            settle_count(index, owner, 1)
    for question in QUESTIONS:
        query = Query(question, embedder.query(question))
        founds = [index.search(PROJECT, [STORE], [query]) for index in indexes]
        for ranking in (Ranking(score_threshold=0.05), Ranking("none", score_threshold=0.05)):
            one, other = (rank(found, ranking, unrelated=0.0, limit=5) for found in founds)
            assert [hit.passage for hit in one] == [hit.passage for hit in other]
            assert [hit.score for hit in one] == pytest.approx(
                [hit.score for hit in other], abs=0.03
            )
        fused = Ranking(weights=(1, 1))
        one, other = (rank(found, fused, unrelated=0.0, limit=1) for found in founds)
        assert [hit.passage for hit in one] == [hit.passage for hit in other]


def test_a_node_that_is_gone_is_unavailable() -> None:
    client = connect("http://127.0.0.1:9")
    client.transport.max_retries = 0
    index = OpenSearchIndex(client, model="m", dimensions=4, dialect="node")
    requests = (
        index.wake,
        lambda: index.count(document("a")),
        lambda: index.delete(document("a"), 1),
    )
    for ask in requests:
        with pytest.raises(SearchUnavailableError, match="The search index failed"):
            ask()
