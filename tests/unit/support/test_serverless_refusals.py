"""The emulated Serverless refuses what the real one does, and so what this package once sent."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.credentials import Credentials
from opensearchpy import OpenSearch, Urllib3AWSV4SignerAuth, Urllib3HttpConnection
from opensearchpy.exceptions import AuthorizationException, NotFoundError, RequestError
from opensearchpy.helpers import BulkIndexError, bulk

from assistants.adapters.search.opensearch_client import connect
from assistants.adapters.search.opensearch_mapping import index_body
from tests.support.opensearch.exchange import Answer, Request, Server
from tests.support.opensearch.serverless import Serverless, signed_client

EVERYTHING: dict[str, Any] = {"query": {"match_all": {}}}
OWN_ID = "Document ID is not supported in create/index operation request"


class Node:
    """Takes everything, and keeps what reached it."""

    def __init__(self) -> None:
        self.requests: list[Request] = []

    def __call__(self, request: Request) -> Answer:
        self.requests.append(request)
        return Answer.of({"responses": [], "items": [], "count": 0, "errors": False})


@pytest.fixture
def node() -> Node:
    return Node()


@pytest.fixture
def url(node: Node) -> Iterator[str]:
    with Server(Serverless(node)) as server:
        yield server.url


@pytest.fixture
def client(url: str) -> Iterator[OpenSearch]:
    client = signed_client(url)
    yield client
    client.close()


@pytest.fixture(autouse=True)
def nothing_passes(node: Node) -> Iterator[None]:
    yield
    assert node.requests == []


@pytest.mark.parametrize("dialect", ["domain", "node"])
def test_a_mapping_with_an_engine_is_refused(client: OpenSearch, dialect: Any) -> None:
    with pytest.raises(RequestError, match="Field parameter 'engine' is not supported") as refused:
        client.indices.create(index="chunks", body=index_body(4, dialect))
    assert refused.value.error == "illegal_argument_exception"


def test_a_mapping_with_a_mode_is_refused(client: OpenSearch) -> None:
    body = index_body(4, "serverless")
    body["mappings"]["properties"]["vector"]["mode"] = "on_disk"
    with pytest.raises(RequestError, match="Field parameter 'mode' is not supported"):
        client.indices.create(index="chunks", body=body)


@pytest.mark.parametrize(
    ("kind", "document"),
    [("index", {"store": "a"}), ("create", {"store": "a"}), ("update", {"doc": {"store": "a"}})],
)
def test_an_operation_with_an_id_is_refused(
    client: OpenSearch, kind: str, document: dict[str, Any]
) -> None:
    action = {"_op_type": kind, "_index": "chunks", "_id": "a#0", **document}
    with pytest.raises(BulkIndexError) as refused:
        bulk(client, [action])
    [item] = refused.value.errors
    assert (item[kind]["status"], item[kind]["error"]["reason"]) == (400, OWN_ID)


def test_a_document_with_an_id_is_refused(client: OpenSearch) -> None:
    with pytest.raises(RequestError, match=OWN_ID):
        client.index(index="chunks", id="a", body={})
    with pytest.raises(RequestError, match=OWN_ID):
        client.update(index="chunks", id="a", body={"doc": {}})


def test_operations_that_do_not_exist_are_not_found(client: OpenSearch) -> None:
    requests = (
        lambda: client.indices.refresh(index="chunks"),
        lambda: client.delete_by_query(index="chunks", body=EVERYTHING),
        lambda: client.update_by_query(index="chunks", body=EVERYTHING),
        lambda: client.search(index="chunks", body=EVERYTHING, params={"scroll": "1m"}),
        lambda: client.scroll(scroll_id="a"),
        lambda: client.info(),
        lambda: client.indices.put_index_template(name="a", body={}),
    )
    for request in requests:
        with pytest.raises(NotFoundError) as refused:
            request()  # type: ignore[no-untyped-call]
        assert (refused.value.status_code, refused.value.error) == (404, "")


@pytest.mark.parametrize("refresh", ["true", "wait_for"])
def test_a_write_that_is_to_be_shown_at_once_is_refused(client: OpenSearch, refresh: str) -> None:
    with pytest.raises(RequestError, match=f"{refresh} refresh policy is not supported"):
        client.bulk(index="chunks", body='{"index":{}}\n{}\n', params={"refresh": refresh})


def test_a_request_without_a_signature_is_refused(url: str) -> None:
    unsigned = connect(url)
    with pytest.raises(AuthorizationException, match="Forbidden"):
        unsigned.count(index="chunks")
    unsigned.close()


def test_a_signature_for_a_domain_is_refused(url: str) -> None:
    client = connect(url, credentials=Credentials("a", "b"), region="eu-west-1", service="es")
    with pytest.raises(AuthorizationException, match="Forbidden"):
        client.count(index="chunks")
    client.close()


def test_a_signature_without_the_hash_of_the_body_is_refused(url: str) -> None:
    class Without(Urllib3AWSV4SignerAuth):
        def __call__(self, *arguments: Any) -> dict[str, str]:
            headers = super().__call__(*arguments)
            signed = headers["Authorization"].replace(";x-amz-content-sha256", "")
            return {**headers, "Authorization": signed}

    client = OpenSearch(
        [url],
        http_auth=Without(Credentials("a", "b"), "eu-west-1", "aoss"),
        connection_class=Urllib3HttpConnection,
    )
    with pytest.raises(AuthorizationException, match="Forbidden"):
        client.count(index="chunks", body=EVERYTHING)
    client.close()


def test_a_compressed_body_is_refused(url: str) -> None:
    signer = Urllib3AWSV4SignerAuth(Credentials("a", "b"), "eu-west-1", "aoss")
    client = OpenSearch(
        [url], http_auth=signer, connection_class=Urllib3HttpConnection, http_compress=True
    )
    with pytest.raises(AuthorizationException) as refused:
        client.count(index="chunks", body=EVERYTHING)
    reason = "Request Content Checksum Verification Failed"
    info: Any = refused.value.info
    assert info["error"]["reason"] == reason
    client.close()


class TestWhatIsSentNow:
    @pytest.fixture(autouse=True)
    def nothing_passes(self, node: Node) -> Iterator[None]:
        """Here something does."""
        yield
        assert node.requests

    def test_the_mapping_of_the_dialect_is_taken(self, client: OpenSearch, node: Node) -> None:
        client.indices.create(index="chunks", body=index_body(4, "serverless"))
        [request] = node.requests
        fields = json.loads(request.text)["mappings"]["properties"]
        assert fields["vector"]["method"]["engine"] == "lucene"  # as the node before has no other

    def test_vectors_are_left_out_unless_everything_is_asked_for(
        self, client: OpenSearch, node: Node
    ) -> None:
        whole = {**EVERYTHING, "_source": True}
        client.msearch(body=[{"index": "chunks"}, EVERYTHING, {"index": "chunks"}, whole])
        [request] = node.requests
        assert request.lines[1]["_source"] == {"excludes": ["vector"]}
        assert request.lines[3]["_source"] is True
