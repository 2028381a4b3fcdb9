"""Uploads through the official SDK, and what is left of those that end badly."""

import hashlib
import json
import socket
import zlib
from pathlib import Path
from urllib.parse import urlsplit

import openai
import pytest
from openai import OpenAI
from openai.types import Upload

from infra.local import LocalStack
from tests.e2e.leftovers import leftovers
from tests.support.distinct_bytes import distinct_bytes
from tests.support.forms import BOUNDARY, Attached, end, form, part

SIZE = 33_000_000
PART = 4_000_000


def begin(client: OpenAI, size: int = 6) -> Upload:
    return client.uploads.create(
        bytes=size, filename="a.txt", mime_type="text/plain", purpose="vision"
    )


def test_a_file_in_parts(client: OpenAI, stack: LocalStack, api_key: str, tmp_path: Path) -> None:
    path = tmp_path / "large.bin"
    path.write_bytes(distinct_bytes(SIZE))
    upload = client.uploads.upload_file_chunked(
        file=path,
        mime_type="application/octet-stream",
        purpose="vision",
        part_size=PART,
        md5=hashlib.md5(distinct_bytes(SIZE)).hexdigest(),
    )
    assert (upload.status, upload.bytes, upload.filename) == ("completed", SIZE, "large.bin")
    assert upload.file is not None
    assert upload.file == client.files.retrieve(upload.file.id)
    assert client.files.content(upload.file.id).read() == distinct_bytes(SIZE)
    left = leftovers(stack, api_key)
    assert [name.split("/")[0] for name in left.objects] == ["files"], "the parts are freed"
    client.files.delete(upload.file.id)


def test_a_cancelled_upload_leaves_nothing_in_s3(
    client: OpenAI, stack: LocalStack, api_key: str
) -> None:
    upload = begin(client)
    client.uploads.parts.create(upload.id, data=b"abc")
    assert client.uploads.cancel(upload.id).status == "cancelled"
    for late in (
        lambda: client.uploads.parts.create(upload.id, data=b"def"),
        lambda: client.uploads.complete(upload.id, part_ids=["part_x"]),
    ):
        with pytest.raises(openai.BadRequestError, match="is cancelled"):
            late()
    left = leftovers(stack, api_key)
    assert (left.objects, left.unfinished, left.kinds) == ([], [], ["upl"])


def test_wrong_sizes_md5_and_parts_leave_no_file(
    client: OpenAI, other_client: OpenAI, stack: LocalStack, api_key: str
) -> None:
    upload, other = begin(client), begin(client)
    first = client.uploads.parts.create(upload.id, data=b"abc").id
    second = client.uploads.parts.create(upload.id, data=b"def").id
    foreign = client.uploads.parts.create(other.id, data=b"def").id
    before = leftovers(stack, api_key)
    for parts, md5 in (
        ([first], None),
        ([first, first], None),
        ([first, second, foreign], None),
        ([first, foreign], None),
        ([first, "../x"], None),
        ([first, second], "0" * 32),
    ):
        with pytest.raises(openai.BadRequestError):
            client.uploads.complete(upload.id, part_ids=parts, md5=md5 or openai.omit)
    with pytest.raises(openai.NotFoundError):
        other_client.uploads.complete(upload.id, part_ids=[first, second])
    assert leftovers(stack, api_key) == before
    completed = client.uploads.complete(upload.id, part_ids=[second, first])
    assert completed.file is not None
    assert client.files.content(completed.file.id).read() == b"defabc"


def send(base_url: str, api_key: str, path: str, body: bytes, declared: int) -> bytes:
    """Promise `declared` bytes, send `body` and hang up; return the answer."""
    url = urlsplit(base_url)
    head = (
        f"POST {url.path}{path} HTTP/1.1\r\nHost: {url.netloc}\r\nConnection: close\r\n"
        f"Authorization: Bearer {api_key}\r\nContent-Length: {declared}\r\n"
        f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n\r\n"
    )
    with socket.create_connection((url.hostname or "", url.port or 80), timeout=30) as wire:
        wire.sendall(head.encode() + body)
        wire.shutdown(socket.SHUT_WR)
        answer = b""
        while received := wire.recv(65536):
            answer += received
    return answer


@pytest.mark.parametrize("kind", ["files", "parts"])
def test_a_client_that_vanishes_leaves_nothing(
    client: OpenAI, base_url: str, stack: LocalStack, api_key: str, kind: str
) -> None:
    upload = begin(client)
    path = "/files" if kind == "files" else f"/uploads/{upload.id}/parts"
    name = "file" if kind == "files" else "data"
    whole = form({"purpose": "vision", name: Attached(distinct_bytes(100_000))})
    assert send(base_url, api_key, path, whole[:50_000], len(whole)) == b""
    client.uploads.cancel(upload.id)
    left = leftovers(stack, api_key)
    assert (left.objects, left.unfinished, left.kinds) == ([], [], ["upl"])


BROKEN = {
    "nothing": b"",
    "no form": b'{"data": "x"}',
    "another boundary": form({"data": Attached(b"abc")}).replace(BOUNDARY.encode(), b"other"),
    "no end": part("data", Attached(b"abc")),
    "no part": end(),
    "no such member": form({"other": Attached(b"abc")}),
    "text": form({"data": "abc"}),
    "no bytes": form({"data": Attached(b"")}),
    "twice": part("data", Attached(b"abc")) + part("data", Attached(b"def")) + end(),
}


@pytest.mark.parametrize("body", BROKEN.values(), ids=list(BROKEN))
def test_a_broken_form_leaves_nothing(
    client: OpenAI, base_url: str, stack: LocalStack, api_key: str, body: bytes
) -> None:
    upload = begin(client)
    answer = send(base_url, api_key, f"/uploads/{upload.id}/parts", body, len(body))
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b'{"error":{"message":"' in answer
    left = leftovers(stack, api_key)
    assert (left.objects, left.unfinished, left.kinds) == ([], [], ["upl"])


def test_expired_uploads_and_files_are_swept_by_the_deployed_function(
    client: OpenAI, stack: LocalStack, api_key: str
) -> None:
    upload = begin(client)
    client.uploads.parts.create(upload.id, data=b"abc")
    file = client.files.create(
        file=b"hello", purpose="vision", expires_after={"anchor": "created_at", "seconds": 3600}
    )
    assert len(leftovers(stack, api_key).objects) == 2
    make_expired(stack, upload.id.removeprefix("upload_"), file.id.removeprefix("file-"))
    stack.client("lambda").invoke(FunctionName=stack.resource("AssistantsService", "Expire"))
    left = leftovers(stack, api_key)
    assert (left.objects, left.unfinished, left.kinds) == ([], [], ["upl"])
    with pytest.raises(openai.BadRequestError, match="is expired"):
        client.uploads.parts.create(upload.id, data=b"def")


def make_expired(stack: LocalStack, *orders: str) -> None:
    """Have the rows of these objects say that their time is over, as if it had passed."""
    dynamodb, table = stack.client("dynamodb"), stack.resource("AssistantsData", "Table")
    for page in dynamodb.get_paginator("scan").paginate(TableName=table):
        for item in page["Items"]:
            if item["sk"]["S"] in orders and "due_at" in item:
                body = json.loads(zlib.decompress(item["body"]["B"])) | {"expires_at": 1}
                changed = {"body": {"B": zlib.compress(json.dumps(body).encode())}}
                due = {"due_at": {"N": "1"}}
                dynamodb.put_item(TableName=table, Item=item | changed | due)
