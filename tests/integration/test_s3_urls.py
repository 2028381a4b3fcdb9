"""Presigned URLs work in every region, from the moment a bucket is made."""

import json
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest
import urllib3
from botocore.config import Config

from assistants.adapters import aws
from assistants.adapters.s3_blobs import S3Blobs
from assistants.documents import transfer
from tests.support.s3_hosts import SECRET, s3_hosts

BUCKET = "files-of-a-second-ago"
FILE, ANSWER = "files/proj/file-ü 1", "parsed/answer"
REGIONS = ("us-east-1", "eu-west-1", "eu-south-1", "ap-southeast-3", "il-central-1")

InRegion = Callable[[str], S3Blobs]


@pytest.fixture
def in_region(monkeypatch: pytest.MonkeyPatch) -> Iterator[InRegion]:
    """Blobs as a function in a region has them, on AWS itself."""
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)

    def blobs(region: str) -> S3Blobs:
        monkeypatch.setenv("AWS_DEFAULT_REGION", region)
        aws.client.cache_clear()
        aws._session.cache_clear()
        return S3Blobs(BUCKET, lambda: aws.client("s3"))

    yield blobs
    aws.client.cache_clear()
    aws._session.cache_clear()


def download_url(blobs: S3Blobs) -> str:
    return blobs.download_url(FILE, filename="ü.txt", mime_type="text/plain", seconds=60)


def upload_url(blobs: S3Blobs, size: int | None = None) -> str:
    return blobs.upload_url(ANSWER, size=size, seconds=60)


def plain(url: str) -> str:
    """The same without TLS, which is not part of what is signed."""
    return url.replace("https://", "http://", 1)


@pytest.mark.parametrize("region", REGIONS)
def test_both_urls_lead_to_the_buckets_own_host_in_its_region(
    in_region: InRegion, region: str
) -> None:
    blobs = in_region(region)
    for url in (download_url(blobs), upload_url(blobs), upload_url(blobs, 5)):
        parts = urlsplit(url)
        assert (parts.scheme, parts.netloc) == ("https", f"{BUCKET}.s3.{region}.amazonaws.com")
        assert f"%2F{region}%2Fs3%2Faws4_request" in parts.query


def test_the_partition_of_a_region_decides_the_rest_of_its_host(in_region: InRegion) -> None:
    host = urlsplit(download_url(in_region("cn-north-1"))).netloc
    assert host == f"{BUCKET}.s3.cn-north-1.amazonaws.com.cn"


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_an_emulator_has_one_host_for_all_buckets(
    in_region: InRegion, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:4566")
    url = urlsplit(download_url(in_region("us-east-1")))
    assert (url.netloc, url.path.split("/")[1]) == (f"{host}:4566", BUCKET)


@pytest.mark.parametrize("region", REGIONS)
def test_a_file_of_a_new_bucket_is_read_and_its_text_is_written(
    in_region: InRegion, region: str
) -> None:
    blobs = in_region(region)
    file, answer = plain(download_url(blobs)), plain(upload_url(blobs))
    with s3_hosts(region, BUCKET) as hosts:
        put = urllib3.request(
            "PUT", plain(blobs.upload_url(FILE, size=4, seconds=60)), body=b"text"
        )
        assert put.status == 200
        transfer.work({"file": file, "answer": answer, "filename": "a.txt"})
        assert json.loads(hosts.objects["/parsed/answer"])["content"] == "text"


@pytest.mark.parametrize(
    ("region", "complaint"),
    [("eu-west-1", "307 TemporaryRedirect"), ("il-central-1", "400 IllegalLocationConstraint")],
)
def test_the_global_host_is_seen_to_fail(in_region: InRegion, region: str, complaint: str) -> None:
    in_region(region)
    old = aws.client("s3", Config(s3={"addressing_style": "auto"}))
    url = plain(S3Blobs(BUCKET, lambda: old).download_url("f", **KIND, seconds=60))
    with s3_hosts(region, BUCKET), pytest.raises(transfer.TransferError, match=complaint):
        transfer.work({"file": url, "answer": "http://nowhere", "filename": "a.txt"})


KIND = {"filename": "a.txt", "mime_type": "text/plain"}


def test_a_wrong_signature_is_no_missing_file(in_region: InRegion) -> None:
    url = plain(download_url(in_region("eu-west-1"))) + "0"
    with (
        s3_hosts("eu-west-1", BUCKET),
        pytest.raises(transfer.TransferError, match="403 Signature"),
    ):
        transfer.work({"file": url, "answer": "http://nowhere", "filename": "a.txt"})


def test_only_a_key_that_does_not_exist_is_a_missing_file(in_region: InRegion) -> None:
    blobs = in_region("eu-west-1")
    file, answer = plain(download_url(blobs)), plain(upload_url(blobs))
    with s3_hosts("eu-west-1", BUCKET) as hosts:
        transfer.work({"file": file, "answer": answer, "filename": "a.txt"})
    assert b"does not exist any more" in hosts.objects["/parsed/answer"]
