"""The upload adapters: `files.create` of large files from unchanged call sites, Python and Node."""

import asyncio
import hashlib
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest
from openai import AsyncOpenAI, OpenAI

from examples.large_files.large_files import AsyncLargeFiles, LargeFiles
from infra.local import LocalStack
from tests.e2e.leftovers import leftovers
from tests.e2e.node_sdk import NodeSdk
from tests.support.distinct_bytes import distinct_bytes

NODE = Path(__file__).parent / "node"
SIZE = 9_000_000
Progress = list[tuple[int, int]]


@pytest.fixture
def progress() -> Progress:
    return []


@pytest.fixture
def adapted(base_url: str, api_key: str, progress: Progress) -> Iterator[OpenAI]:
    """The SDK with the adapter."""
    http = LargeFiles(progress=lambda sent, size: progress.append((sent, size)))
    with OpenAI(base_url=base_url, api_key=api_key, max_retries=0, http_client=http) as client:
        yield client


def test_a_large_file_of_an_unchanged_call(
    adapted: OpenAI, progress: Progress, tmp_path: Path
) -> None:
    path = tmp_path / "ü.bin"
    path.write_bytes(distinct_bytes(SIZE))
    with path.open("rb") as stream:
        file = adapted.files.create(
            file=stream,
            purpose="vision",
            expires_after={"anchor": "created_at", "seconds": 3600},
        )
    assert (file.bytes, file.filename, file.purpose) == (SIZE, "ü.bin", "vision")
    assert file.expires_at == file.created_at + 3600
    assert adapted.files.content(file.id).read() == distinct_bytes(SIZE)
    assert progress[-1] == (SIZE, SIZE)
    assert [sent for sent, _ in progress] == sorted(sent for sent, _ in progress)
    assert adapted.files.delete(file.id).deleted


def test_a_path_and_bytes_under_a_name_and_a_type(adapted: OpenAI, tmp_path: Path) -> None:
    path = tmp_path / "large.pdf"
    path.write_bytes(distinct_bytes(SIZE))
    by_path = adapted.files.create(file=path, purpose="vision")
    assert (by_path.bytes, by_path.filename) == (SIZE, "large.pdf")
    named = adapted.files.create(file=("b.x", distinct_bytes(SIZE), "text/x-own"), purpose="vision")
    answer = adapted.files.content(named.id)
    assert answer.read() == distinct_bytes(SIZE)
    assert answer.response.headers["content-type"] == "text/x-own"
    for file in (by_path, named):
        adapted.files.delete(file.id)


def test_a_small_file_goes_as_ever(adapted: OpenAI, progress: Progress) -> None:
    file = adapted.files.create(file=("a.txt", io.BytesIO(b"small")), purpose="vision")
    assert (adapted.files.content(file.id).read(), progress) == (b"small", [])
    adapted.files.delete(file.id)


def test_the_asynchronous_client(base_url: str, api_key: str) -> None:
    async def create() -> bytes:
        async with AsyncOpenAI(
            base_url=base_url, api_key=api_key, max_retries=0, http_client=AsyncLargeFiles()
        ) as client:
            file = await client.files.create(
                file=io.BytesIO(distinct_bytes(SIZE)), purpose="vision"
            )
            whole = (await client.files.content(file.id)).read()
            await client.files.delete(file.id)
            return whole

    assert asyncio.run(create()) == distinct_bytes(SIZE)


def test_a_refusal_is_the_services_own(adapted: OpenAI, stack: LocalStack, api_key: str) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        adapted.files.create(file=distinct_bytes(SIZE), purpose="nonsense")  # type: ignore[arg-type]
    assert refused.value.param == "purpose"
    assert leftovers(stack, api_key) == ([], [], [])


class Unreachable(httpx2.HTTPTransport):
    """Everything but S3 can be reached."""

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        if request.method == "PUT":
            raise httpx2.ConnectError("S3 cannot be reached")
        return super().handle_request(request)


def test_a_file_that_does_not_arrive_leaves_no_parts(
    base_url: str, api_key: str, stack: LocalStack
) -> None:
    http = LargeFiles(transport=Unreachable())
    client = OpenAI(base_url=base_url, api_key=api_key, max_retries=1, http_client=http)
    with client, pytest.raises(openai.APIConnectionError):
        client.files.create(file=distinct_bytes(SIZE), purpose="vision")
    left = leftovers(stack, api_key)
    assert (left.objects, left.kinds) == ([], ["upl", "upl"]), "one for each try, both cancelled"


Scenario = Callable[[str, int], Any]


@pytest.fixture
def node_files(node: NodeSdk, tmp_path: Path) -> Scenario:
    """Run a scenario of node/files.mjs with a file of some bytes."""

    def run(scenario: str, size: int) -> Any:
        path = tmp_path / "node.bin"
        path.write_bytes(distinct_bytes(size))
        return node.run("files.mjs", scenario, path)

    return run


def described(size: int) -> dict[str, Any]:
    """Return what a scenario prints of a file with the right content that it has deleted."""
    return {
        "bytes": size,
        "sha256": hashlib.sha256(distinct_bytes(size)).hexdigest(),
        "deleted": True,
    }


def test_the_life_of_a_file_in_node(node_files: Scenario) -> None:
    seen = node_files("create", 300_000)
    created = seen["created"]
    assert (created["bytes"], created["filename"]) == (300_000, "node.bin")
    assert created["expires_at"] == created["created_at"] + 3600
    assert created["id"] in seen["listed"]
    assert seen["content"] == described(300_000)


def test_an_upload_in_node(node_files: Scenario) -> None:
    assert node_files("upload", SIZE) == {"status": "completed", "content": described(SIZE)}


@pytest.mark.parametrize("scenario", ["blobThroughAdapter", "streamThroughAdapter"])
def test_a_large_file_of_an_unchanged_call_in_node(node_files: Scenario, scenario: str) -> None:
    seen = node_files(scenario, SIZE)
    created = seen["created"]
    assert (created["bytes"], seen["content"]) == (SIZE, described(SIZE))
    assert created["expires_at"] == created["created_at"] + 3600
    assert seen["last"] == [SIZE, SIZE]


@pytest.mark.parametrize("scenario", ["blobThroughAdapter", "streamThroughAdapter"])
def test_a_small_file_goes_as_ever_in_node(node_files: Scenario, scenario: str) -> None:
    seen = node_files(scenario, 1000)
    assert (seen["content"], "last" in seen) == (described(1000), False)


def test_what_is_too_large_is_refused_in_node(node_files: Scenario) -> None:
    seen = node_files("tooLarge", 5_000_000)
    assert seen["status"] == 413
    assert "examples/large_files" in seen["message"]
