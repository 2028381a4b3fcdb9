"""The local stack with an embedding model of the user's own, which fails at first."""

import time
from collections.abc import Iterator

import pytest
from openai import OpenAI

from infra.local import LocalStack
from tests.support.embedding_server import EmbeddingServer

KEY = "sk-embedding"


@pytest.fixture
def provider() -> Iterator[EmbeddingServer]:
    with EmbeddingServer.started() as server:
        yield server


@pytest.fixture
def client(provider: EmbeddingServer) -> Iterator[OpenAI]:
    parameters = {
        "EmbeddingUrl": provider.url,
        "EmbeddingKey": KEY,
        "EmbeddingModel": "four-numbers",
        "EmbeddingDimensions": "4",
    }
    with (
        LocalStack(parameters) as stack,
        OpenAI(base_url=stack.base_url, api_key="sk-x", max_retries=0, timeout=60) as client,
    ):
        yield client


def test_a_file_that_could_not_be_embedded_is_tried_again_soon(
    client: OpenAI, provider: EmbeddingServer
) -> None:
    provider.failures = [401]
    store = client.vector_stores.create()
    file = client.vector_stores.files.upload(
        vector_store_id=store.id, file=("notes.txt", b"The parrot is called Ada.")
    )
    while not provider.requests:
        time.sleep(0.1)
    assert client.vector_stores.files.retrieve(file.id, vector_store_id=store.id).status == (
        "in_progress"
    )
    file = client.vector_stores.files.poll(file.id, vector_store_id=store.id)
    assert (file.status, file.last_error) == ("completed", None)
    (found,) = client.vector_stores.search(store.id, query="parrot")
    assert found.content[0].text == "The parrot is called Ada."
    refused, indexed, searched = provider.requests
    assert refused == indexed
    for _path, headers, body in (indexed, searched):
        assert headers["Authorization"] == f"Bearer {KEY}"
        assert body["model"] == "four-numbers"
    assert indexed[2]["input"] == ["notes.txt\nThe parrot is called Ada."]
    assert searched[2]["input"] == ["parrot"]
