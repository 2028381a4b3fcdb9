"""Files through the official SDK."""

import io
from pathlib import Path

import httpx2
import openai
import pytest
from openai import OpenAI
from openai.types import FileObject

from infra.local import LocalStack
from tests.e2e.envelope import error
from tests.e2e.leftovers import leftovers
from tests.support.distinct_bytes import distinct_bytes

LARGEST = 4_400_000  # bytes of a file that API Gateway and Lambda let through
STREAMED = 20 * 1024 * 1024


def test_the_life_of_a_file(client: OpenAI) -> None:
    file = client.files.create(
        file=("notes.txt", b"hello"),
        purpose="user_data",
        expires_after={"anchor": "created_at", "seconds": 3600},
    )
    assert file.id.startswith("file-")
    assert (file.object, file.bytes, file.filename) == ("file", 5, "notes.txt")
    assert (file.purpose, file.status) == ("user_data", "processed")
    assert file.expires_at == file.created_at + 3600
    assert client.files.retrieve(file.id) == file
    assert client.files.wait_for_processing(file.id) == file
    assert file in list(client.files.list(purpose="user_data"))
    assert file not in list(client.files.list(purpose="vision"))
    deleted = client.files.delete(file.id)
    assert (deleted.id, deleted.object, deleted.deleted) == (file.id, "file", True)
    with pytest.raises(openai.NotFoundError) as refused:
        client.files.retrieve(file.id)
    assert refused.value.body == error(f"No such File object: {file.id}", "id")


def test_a_deleted_file_leaves_nothing(client: OpenAI, stack: LocalStack, api_key: str) -> None:
    file = client.files.create(file=b"hello", purpose="vision")
    assert len(leftovers(stack, api_key).objects) == 1
    client.files.delete(file.id)
    assert leftovers(stack, api_key) == ([], [], [])


@pytest.mark.parametrize(
    "filename",
    [
        "ünïcödé 文件 🗂.txt",
        "..\\..\\windows.ini",
        "../../../etc/passwd",
        'say "hi".txt',
        "two\r\nlines.txt",
        "<script>alert(1)</script>.html",
        "x" * 1024,
    ],
)
def test_a_file_keeps_its_name_and_its_content(client: OpenAI, filename: str) -> None:
    file = client.files.create(
        file=(filename, distinct_bytes(300_000), "text/x-own"), purpose="vision"
    )
    assert client.files.retrieve(file.id).filename == filename
    answer = client.files.content(file.id)
    assert answer.read() == distinct_bytes(300_000)
    assert answer.response.headers["content-type"] == "text/x-own"
    assert answer.response.headers["content-disposition"].startswith("attachment")
    client.files.delete(file.id)


def test_as_large_as_lambda_lets_through(client: OpenAI, tmp_path: Path) -> None:
    path = tmp_path / "large.bin"
    path.write_bytes(distinct_bytes(LARGEST))
    with path.open("rb") as stream:
        file = client.files.create(file=stream, purpose="vision")
    assert (file.bytes, file.filename) == (LARGEST, "large.bin")
    assert client.files.content(file.id).read() == distinct_bytes(LARGEST)
    client.files.delete(file.id)


def test_the_refusal_of_a_large_file_names_the_two_ways_out(
    client: OpenAI, stack: LocalStack, api_key: str
) -> None:
    with pytest.raises(openai.APIStatusError) as refused:
        client.files.create(file=bytes(5_000_000), purpose="vision")
    assert refused.value.status_code == 413
    assert "upload_file_chunked" in refused.value.message
    assert "examples/large_files" in refused.value.message
    assert leftovers(stack, api_key) == ([], [], [])


@pytest.mark.parametrize("purpose", ["assistants", "user_data"])
def test_what_may_not_be_downloaded(client: OpenAI, raw: httpx2.Client, purpose: str) -> None:
    answer = raw.post("/files", data={"purpose": purpose}, files={"file": ("a.txt", b"a")})
    file = FileObject.model_validate(answer.json())
    with pytest.raises(openai.BadRequestError) as refused:
        client.files.content(file.id)
    message = f"Not allowed to download files of purpose: {purpose}"
    assert refused.value.body == error(message)
    client.files.delete(file.id)


def test_a_large_file_comes_from_s3_without_the_key(client: OpenAI) -> None:
    size = STREAMED + 1
    upload = client.uploads.upload_file_chunked(
        file=distinct_bytes(size),
        filename="ü.bin",
        bytes=size,
        mime_type="application/x-own",
        purpose="vision",
        part_size=4_000_000,
    )
    assert upload.file is not None
    answer = client.files.content(upload.file.id)
    assert answer.read() == distinct_bytes(size)
    (redirect,) = answer.response.history
    assert redirect.status_code == 302
    assert "X-Amz-Expires=300" in redirect.headers["location"]
    assert "authorization" not in answer.response.request.headers
    assert answer.response.headers["content-type"] == "application/x-own"
    client.files.delete(upload.file.id)


def test_another_tenants_file_does_not_exist(client: OpenAI, other_client: OpenAI) -> None:
    file = client.files.create(file=b"secret", purpose="vision")
    for attempt in (
        other_client.files.retrieve,
        other_client.files.content,
        other_client.files.delete,
    ):
        with pytest.raises(openai.NotFoundError):
            attempt(file.id)
    assert other_client.files.list().data == []
    assert client.files.content(file.id).read() == b"secret"


def test_pages_of_files(client: OpenAI) -> None:
    made = [client.files.create(file=io.BytesIO(b"."), purpose="evals").id for _ in range(5)]
    listed = [file.id for file in client.files.list(purpose="evals", limit=2, order="asc")]
    assert listed == made
    for file_id in made:
        client.files.delete(file_id)
