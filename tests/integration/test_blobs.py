"""One contract for blobs, on the fake that unit tests use and on S3."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

import httpx2
import pytest
from botocore.exceptions import ClientError

from assistants.adapters.aws import client
from assistants.adapters.s3_blobs import PART_BYTES, S3Blobs
from assistants.ports.blobs import PIECE_BYTES, Blob, BlobMissingError, Blobs
from infra.local.cloud import Cloud
from tests.support.fakes import FakeBlobs


@pytest.fixture
def bucket(account: Cloud) -> str:
    name = f"files-{uuid4().hex}"
    account.client("s3").create_bucket(Bucket=name)
    return name


@pytest.fixture
def s3_blobs(bucket: str) -> S3Blobs:
    return S3Blobs(bucket, lambda: client("s3"))


@pytest.fixture(params=["fake", "s3"])
def blobs(request: pytest.FixtureRequest) -> Blobs:
    found: Blobs = FakeBlobs() if request.param == "fake" else request.getfixturevalue("s3_blobs")
    return found


def content(size: int) -> bytes:
    """Return bytes that are elsewhere other ones."""
    return b"".join(number.to_bytes(4, "big") for number in range(size // 4 + 1))[:size]


def pieces(whole: bytes, size: int = PIECE_BYTES) -> Iterator[bytes]:
    return (whole[start : start + size] for start in range(0, len(whole), size))


@pytest.mark.parametrize(
    "size", [0, 1, PART_BYTES - 1, PART_BYTES, PART_BYTES + 1, 2 * PART_BYTES + 12345]
)
def test_what_was_written_is_read_in_pieces_of_at_most_a_mebibyte(blobs: Blobs, size: int) -> None:
    whole = content(size)
    assert blobs.write("files/p/a", pieces(whole, 999_999)) == size
    read = list(blobs.read("files/p/a"))
    assert b"".join(read) == whole
    assert all(len(piece) <= PIECE_BYTES for piece in read)
    assert blobs.list("files/") == [Blob("files/p/a", size)]


def test_a_write_replaces_what_was_there(blobs: Blobs) -> None:
    blobs.write("files/p/a", [b"first"])
    blobs.write("files/p/a", [b"second"])
    assert b"".join(blobs.read("files/p/a")) == b"second"


@pytest.mark.parametrize("before", [0, 3 * PART_BYTES])
def test_a_write_that_breaks_off_leaves_nothing(blobs: Blobs, before: int) -> None:
    def broken() -> Iterator[bytes]:
        yield from pieces(content(before))
        raise ConnectionError("the client is gone")

    with pytest.raises(ConnectionError):
        blobs.write("files/p/a", broken())
    assert blobs.list("") == []


def test_a_large_write_that_breaks_off_leaves_no_parts_in_s3(
    s3_blobs: S3Blobs, account: Cloud, bucket: str
) -> None:
    def broken() -> Iterator[bytes]:
        yield from pieces(content(3 * PART_BYTES))
        raise ConnectionError("the client is gone")

    with pytest.raises(ConnectionError):
        s3_blobs.write("files/p/a", broken())
    assert "Uploads" not in account.client("s3").list_multipart_uploads(Bucket=bucket)


def test_missing_blobs_are_missed_before_the_first_piece(blobs: Blobs) -> None:
    with pytest.raises(BlobMissingError):
        blobs.read("files/p/missing")
    with pytest.raises(BlobMissingError):
        blobs.copy("files/p/missing", "files/p/a")
    assert blobs.list("") == []


def test_what_s3_denies_is_missing_only_if_a_list_does_not_show_it(
    s3_blobs: S3Blobs, account: Cloud, bucket: str
) -> None:
    with pytest.raises(ClientError, match="AccessDenied"):  # as S3 says it, to who may not list
        account.client("s3").get_object(Bucket=bucket, Key="files/p/missing")
    with pytest.raises(BlobMissingError):
        s3_blobs.read("files/p/missing")
    s3_blobs.write("files/p/missing-not", [b"another"])
    with pytest.raises(BlobMissingError):
        s3_blobs.read("files/p/missing")


def deny(s3: Any, operation: str) -> None:
    """Let S3 deny an operation, whatever it is asked for."""
    error = {"Error": {"Code": "AccessDenied", "Message": "no"}}
    answer = SimpleNamespace(status_code=403), error
    s3.meta.events.register(f"before-call.s3.{operation}", lambda **_: answer)


@pytest.mark.parametrize(
    ("name", "denied"),
    [("files/p/a", "GetObject"), ("files/p/missing", "ListObjectsV2")],
)
def test_a_denial_that_no_list_explains_is_a_failure(
    account: Cloud, bucket: str, name: str, denied: str
) -> None:
    s3 = account.client("s3")
    s3.put_object(Bucket=bucket, Key="files/p/a", Body=b"bytes")
    deny(s3, denied)
    with pytest.raises(ClientError, match="AccessDenied"):
        S3Blobs(bucket, lambda: s3).read(name)


def test_a_copy_leaves_its_source(blobs: Blobs) -> None:
    blobs.write("uploads/p/u/part", [b"bytes"])
    blobs.copy("uploads/p/u/part", "files/p/a")
    assert b"".join(blobs.read("files/p/a")) == b"bytes"
    assert len(blobs.list("")) == 2


def test_only_the_named_are_listed_and_deleted(blobs: Blobs) -> None:
    for name in ("uploads/p/u/1", "uploads/p/u/2", "uploads/p/u2/1"):
        blobs.write(name, [b"."])
    assert [blob.name for blob in blobs.list("uploads/p/u/")] == ["uploads/p/u/1", "uploads/p/u/2"]
    blobs.delete(["uploads/p/u/1", "uploads/p/u/2", "uploads/p/u/gone"])
    assert [blob.name for blob in blobs.list("")] == ["uploads/p/u2/1"]
    blobs.delete([])


def test_more_than_a_thousand_are_listed_and_deleted(blobs: Blobs) -> None:
    names = [f"uploads/p/u/{number:04}" for number in range(1001)]
    for name in names:
        blobs.write(name, [b"."])
    assert [blob.name for blob in blobs.list("uploads/")] == names
    blobs.delete(names)
    assert blobs.list("") == []


def test_a_download_url_says_for_how_long_and_as_what(s3_blobs: S3Blobs) -> None:
    s3_blobs.write("files/p/a", [b"bytes"])
    url = s3_blobs.download_url(
        "files/p/a", filename='ü "x".txt', mime_type="text/plain", seconds=60
    )
    query = dict(parse_qsl(urlsplit(url).query))
    assert (query["X-Amz-Algorithm"], query["X-Amz-Expires"]) == ("AWS4-HMAC-SHA256", "60")
    assert query["response-content-type"] == "text/plain"
    assert query["response-content-disposition"] == (
        "attachment; filename*=UTF-8''%C3%BC%20%22x%22.txt"
    )
    assert httpx2.get(url).content == b"bytes"


def test_the_length_of_an_upload_is_part_of_its_signature(s3_blobs: S3Blobs) -> None:
    first = s3_blobs.upload_url("uploads/p/u/part", size=5, seconds=60)
    second = s3_blobs.upload_url("uploads/p/u/part", size=6, seconds=60)
    assert "X-Amz-SignedHeaders=content-length%3Bhost" in first
    assert first.rpartition("=")[2] != second.rpartition("=")[2]
    assert httpx2.put(first, content=b"bytes").status_code == 200
    assert b"".join(s3_blobs.read("uploads/p/u/part")) == b"bytes"
