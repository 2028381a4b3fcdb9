"""The parsing function and the adapter that invokes it, over two URLs of a real bucket."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from assistants.adapters.lambda_parser import PREFIX, LambdaParser
from assistants.adapters.s3_blobs import S3Blobs
from assistants.documents import transfer
from assistants.domain.retrieval.document_text import DocumentError
from assistants.ports.parsing import ParsingUnavailableError
from infra.local import LocalStack
from tests.support import samples

BLOB = "files/proj/file-1"


@pytest.fixture
def blobs(stack: LocalStack) -> Iterator[S3Blobs]:
    s3 = stack.client("s3")
    blobs = S3Blobs(stack.resource("AssistantsData", "Bucket"), lambda: s3)
    yield blobs
    assert blobs.list(PREFIX) == []  # no answer is left over
    blobs.delete([BLOB])


@pytest.fixture
def parser(stack: LocalStack, blobs: S3Blobs) -> LambdaParser:
    name = stack.functions["ParseFile"].spec.name
    return LambdaParser(name, blobs, lambda: stack.client("lambda"))


def test_a_file_is_read_in_a_function_of_its_own(parser: LambdaParser, blobs: S3Blobs) -> None:
    blobs.write(BLOB, [samples.pdf(["Hello", "world"])])
    text = parser.parse(BLOB, "greeting.pdf")
    assert text.content.split() == ["Hello", "world"]
    assert len(text.pages) == 2


def test_a_large_text_passes_between_the_two(parser: LambdaParser, blobs: S3Blobs) -> None:
    line = "Ünïcödé 🗂 text. " * 400_000  # more than a function could answer with
    blobs.write(BLOB, [line.encode()])
    assert parser.parse(BLOB, "long.txt").content == line


@pytest.mark.parametrize(
    ("filename", "content", "code", "reason"),
    [
        ("a.exe", b"MZ", "unsupported_file", r"extensions \[.exe\] are not supported"),
        ("a.docx", b"PK\x03\x04" + bytes(100), "invalid_file", "damaged"),
        ("a.txt", b"", "invalid_file", "empty"),
    ],
)
def test_the_answer_says_why_a_file_has_no_text(
    parser: LambdaParser, blobs: S3Blobs, filename: str, content: bytes, code: str, reason: str
) -> None:
    blobs.write(BLOB, [content])
    with pytest.raises(DocumentError, match=reason) as refused:
        parser.parse(BLOB, filename)
    assert refused.value.code == code


def test_a_file_that_is_gone_is_said_to_be(parser: LambdaParser) -> None:
    with pytest.raises(DocumentError, match="does not exist any more"):
        parser.parse("files/proj/file-gone", "a.txt")


def test_a_parser_that_fails_is_asked_again_later(
    parser: LambdaParser, stack: LocalStack, blobs: S3Blobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    blobs.write(BLOB, [b"text"])
    monkeypatch.setattr(
        S3Blobs, "download_url", lambda *_, **__: f"{stack.endpoint_url}/no-such-thing?x=%%"
    )
    monkeypatch.setattr(S3Blobs, "upload_url", lambda *_, **__: "http://127.0.0.1:9/nowhere")
    with pytest.raises(ParsingUnavailableError, match="The parser failed"):
        parser.parse(BLOB, "a.txt")


def test_a_file_that_is_denied_to_the_parser_is_tried_again_later(
    parser: LambdaParser, blobs: S3Blobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    blobs.write(BLOB, [b"text"])
    elsewhere = blobs.download_url("files/x", filename="f", mime_type="text/plain", seconds=60)
    monkeypatch.setattr(S3Blobs, "download_url", lambda *_, **__: elsewhere)
    with pytest.raises(ParsingUnavailableError, match="answered with 403"):
        parser.parse(BLOB, "a.txt")


def test_a_parser_that_is_not_there_is_asked_again_later(stack: LocalStack, blobs: S3Blobs) -> None:
    parser = LambdaParser("Nobody", blobs, lambda: stack.client("lambda"))
    with pytest.raises(ParsingUnavailableError, match="does not answer"):
        parser.parse(BLOB, "a.txt")


def test_a_file_beyond_the_limit_is_left_where_it_is(
    blobs: S3Blobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfer, "MAX_FILE", 1000)
    blobs.write(BLOB, [b"x" * 1001])
    answer = "parsed/answer"
    transfer.work(
        {
            "file": blobs.download_url(BLOB, filename="f", mime_type="text/plain", seconds=60),
            "answer": blobs.upload_url(answer, size=None, seconds=60),
            "filename": "a.txt",
        }
    )
    content: Any = json.loads(b"".join(blobs.read(answer)))
    assert content == {"code": "invalid_file", "message": "The file is larger than 512 MB."}
    blobs.delete([answer])
