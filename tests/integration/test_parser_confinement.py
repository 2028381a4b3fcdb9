"""The parsing function where its platform lets it filter system calls, and where it does not."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from assistants.adapters.aws import client
from assistants.adapters.lambda_parser import LambdaParser
from assistants.adapters.s3_blobs import S3Blobs
from assistants.domain.retrieval.document_text import DocumentError
from infra.local.cloud import Cloud
from infra.local.function_spec import LocalFunctionSpec
from infra.local.functions import HostedFunction
from infra.repository import REPOSITORY
from tests.support import samples

LAYERS = (REPOSITORY / "layers/assistants", REPOSITORY / "tests/support/refusing_layer")
AS_IN_LAMBDA = {"AWS_LAMBDA_EXEC_WRAPPER": "/opt/refuse"}


def hosted(account: Cloud, name: str, environment: dict[str, str]) -> HostedFunction:
    spec = LocalFunctionSpec(
        logical_id=name,
        name=name,
        arn=f"arn:aws:lambda:us-east-1:123456789012:function:{name}",
        handler="handler.handler",
        timeout=60,
        memory_mb=3008,
        environment=environment,
        code=REPOSITORY / "functions/parse_file",
        layers=LAYERS,
    )
    account.functions.add(spec)
    return account.functions[name]


@pytest.fixture(scope="module")
def lenient(account: Cloud) -> HostedFunction:
    return hosted(account, "Lenient", {})


@pytest.fixture(scope="module")
def strict(account: Cloud) -> HostedFunction:
    return hosted(account, "Strict", AS_IN_LAMBDA)


@pytest.fixture
def blobs(account: Cloud) -> Iterator[S3Blobs]:
    bucket = f"files-{uuid4().hex}"
    account.client("s3").create_bucket(Bucket=bucket)
    blobs = S3Blobs(bucket, lambda: client("s3"))
    blobs.write("files/p/pdf", [samples.pdf(["Hello", "world"])])
    blobs.write("files/p/damaged", [b"%PDF-1.7\n" + b"garbage " * 100])
    yield blobs
    assert blobs.list("parsed/") == []


def parser(function: HostedFunction, blobs: S3Blobs) -> LambdaParser:
    return LambdaParser(function.spec.name, blobs, lambda: client("lambda"))


def test_where_a_filter_holds_the_reader_its_environment_reads_on(
    lenient: HostedFunction, blobs: S3Blobs
) -> None:
    for _ in range(2):
        text = parser(lenient, blobs).parse("files/p/pdf", "a.pdf")
        assert text.content.split() == ["Hello", "world"]
    assert lenient.cold_starts == 1


def test_where_none_does_each_file_is_read_in_an_environment_of_its_own(
    strict: HostedFunction, blobs: S3Blobs
) -> None:
    for number in range(1, 3):
        text = parser(strict, blobs).parse("files/p/pdf", "a.pdf")
        assert text.content.split() == ["Hello", "world"]
        assert strict.cold_starts == number
    assert "no filter held the reader" in strict.logs


def test_a_file_that_breaks_its_reader_is_still_answered_and_the_environment_ended(
    strict: HostedFunction, blobs: S3Blobs
) -> None:
    before = strict.cold_starts
    for number in range(1, 3):
        with pytest.raises(DocumentError, match="damaged or not a PDF"):
            parser(strict, blobs).parse("files/p/damaged", "a.pdf")
        assert strict.cold_starts == before + number


def test_what_lambda_hears_of_such_a_file_is_an_answer(
    strict: HostedFunction, blobs: S3Blobs
) -> None:
    url = blobs.download_url("files/p/pdf", filename="f", mime_type="a/b", seconds=60)
    answer = blobs.upload_url("parsed/x", size=None, seconds=60)
    request = f'{{"file": "{url}", "answer": "{answer}", "filename": "a.pdf"}}'
    assert strict.invoke(request.encode()).response() == b"null"
    blobs.delete(["parsed/x"])


def test_a_failure_that_lambda_reports_after_the_answer_does_not_count(
    blobs: S3Blobs, monkeypatch: pytest.MonkeyPatch, strict: HostedFunction
) -> None:
    reader = parser(strict, blobs)
    invoke = reader._invoke
    monkeypatch.setattr(reader, "_invoke", lambda request: f"{invoke(request)}Runtime.ExitError")
    assert reader.parse("files/p/pdf", "a.pdf").content.split() == ["Hello", "world"]
