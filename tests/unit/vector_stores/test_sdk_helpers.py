"""The official SDK's own helpers for vector stores, against the service over fakes."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from openai import OpenAI

from tests.support.api_client import Client
from tests.support.file_search_deployment import FileSearchDeployment


class Worked:
    """Answers what the SDK sends, and has a worker empty the queue before each GET."""

    def __init__(self, deployment: FileSearchDeployment) -> None:
        self.deployment = deployment
        self.lock = threading.Lock()

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        with self.lock:
            if request.method == "GET":
                self.deployment.ingest()
            key = request.headers["authorization"].removeprefix("Bearer ")
            headers = {"content-type": request.headers.get("content-type", "")}
            url = request.url.raw_path.decode().removeprefix("/v1")
            content = request.read()
            answer = Client(self.deployment.app, key).request(
                request.method, url, headers=headers, content=content
            )
        return httpx2.Response(answer.status, headers=answer.headers, content=answer.body)


@pytest.fixture
def deployment(tmp_path: Path) -> FileSearchDeployment:
    return FileSearchDeployment(tmp_path)


@pytest.fixture
def client(deployment: FileSearchDeployment) -> Iterator[OpenAI]:
    transport = httpx2.MockTransport(Worked(deployment))
    with (
        httpx2.Client(transport=transport) as http,
        OpenAI(api_key="sk-test", http_client=http, max_retries=0) as client,
    ):
        yield client


def named(content: str, name: str) -> tuple[str, bytes]:
    return name, content.encode()


def test_files_are_uploaded_indexed_and_found_in_one_call(client: OpenAI) -> None:
    store = client.vector_stores.create(name="Birds", expires_after=None)  # type: ignore[arg-type]
    batch = client.vector_stores.file_batches.upload_and_poll(
        store.id,
        files=[named("Ada is a parrot.", "ada.txt"), named("Bo is a crow.", "bo.md")],
        poll_interval_ms=1,
    )
    assert (batch.status, batch.file_counts.completed) == ("completed", 2)
    found = client.vector_stores.search(
        store.id, query="parrot", max_num_results=1, rewrite_query=True
    )
    [hit] = found.data
    assert (hit.filename, hit.content[0].text) == ("ada.txt", "Ada is a parrot.")
    names = {
        client.files.retrieve(file.id).filename
        for file in client.vector_stores.file_batches.list_files(
            batch.id, vector_store_id=store.id, limit=1
        )
    }
    assert names == {"ada.txt", "bo.md"}


def test_one_file_is_uploaded_and_polled_until_it_is_indexed(client: OpenAI) -> None:
    store = client.vector_stores.create()
    file = client.vector_stores.files.upload_and_poll(
        vector_store_id=store.id,
        file=named("Ada is a parrot.", "ada.txt"),
        attributes={"kind": "bird", "legs": 2, "tame": True},
    )
    assert file.status == "completed"
    assert file.attributes == {"kind": "bird", "legs": 2, "tame": True}
    again = client.vector_stores.files.create_and_poll(file.id, vector_store_id=store.id)
    assert again.id == file.id
    content = client.vector_stores.files.content(file.id, vector_store_id=store.id)
    assert [part.text for part in content] == ["Ada is a parrot."]
    changed = client.vector_stores.files.update(
        file.id, vector_store_id=store.id, attributes={"kind": "crow"}
    )
    assert changed.attributes == {"kind": "crow"}
    filtered = client.vector_stores.search(
        store.id, query="Ada", filters={"type": "eq", "key": "kind", "value": "bird"}
    )
    assert filtered.data == []
    assert client.vector_stores.files.delete(file.id, vector_store_id=store.id).deleted
    assert [*client.vector_stores.files.list(store.id)] == []


def test_a_batch_with_settings_for_each_file_is_created_polled_and_cancelled(
    client: OpenAI, deployment: FileSearchDeployment
) -> None:
    ids = [deployment.file() for _ in range(3)]
    store = client.vector_stores.create(file_ids=ids[:1], chunking_strategy={"type": "auto"})
    done = client.vector_stores.file_batches.create_and_poll(
        store.id,
        files=[
            {"file_id": ids[1], "attributes": {"page": 1}},
            {"file_id": ids[2], "chunking_strategy": {"type": "auto"}},
        ],
    )
    assert (done.status, done.object) == ("completed", "vector_store.files_batch")
    other = client.vector_stores.file_batches.create(store.id, file_ids=[deployment.file()])
    cancelled = client.vector_stores.file_batches.cancel(other.id, vector_store_id=store.id)
    assert (cancelled.status, cancelled.file_counts.cancelled) == ("cancelled", 1)
    now = client.vector_stores.retrieve(store.id)
    assert (now.file_counts.completed, now.file_counts.cancelled, now.status) == (3, 1, "completed")


def test_stores_are_paged_through_changed_and_deleted(client: OpenAI) -> None:
    made = [client.vector_stores.create(name=str(number)).id for number in range(5)]
    assert [store.id for store in client.vector_stores.list(limit=2, order="asc")] == made
    changed = client.vector_stores.update(made[0], name="new", metadata={"a": "b"})
    assert (changed.name, changed.metadata) == ("new", {"a": "b"})
    for store_id in made:
        assert client.vector_stores.delete(store_id).object == "vector_store.deleted"
    assert [*client.vector_stores.list()] == []


def test_the_helper_makes_a_store_for_a_thread(
    client: OpenAI, deployment: FileSearchDeployment
) -> None:
    resources: Any = {"file_search": {"vector_stores": [{"file_ids": [deployment.file()]}]}}
    thread = client.beta.threads.create(tool_resources=resources)
    assert thread.tool_resources is not None and thread.tool_resources.file_search is not None
    [store_id] = thread.tool_resources.file_search.vector_store_ids or []
    assert client.vector_stores.retrieve(store_id).file_counts.total == 1
