"""The answers of the parsing process are not trusted: a hostile file may control it."""

import pytest

from assistants.documents.confined import READY, UNFILTERED, _reading
from assistants.domain.retrieval.document_text import (
    MAX_CHARACTERS,
    DocumentError,
    ExtractedText,
    ExtractionFailure,
    Heading,
)
from assistants.ports.parsing import decoded, encoded


@pytest.mark.parametrize(
    "text",
    [
        ExtractedText("Ünïcödé 🗂\n"),
        ExtractedText("a b", pages=(0, 2), headings=(Heading(2, 1, "b"),)),
    ],
)
def test_a_text_passes_unchanged(text: ExtractedText) -> None:
    assert decoded(encoded(text)) == text


def test_a_failure_is_raised_with_its_code() -> None:
    with pytest.raises(DocumentError, match="It is empty") as refused:
        decoded(encoded(ExtractionFailure("invalid_file", "It is empty.")))
    assert refused.value.code == "invalid_file"


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"{",
        b'{"content": 1}',
        b'{"content": "\\ud800"}',
        b'{"code": "root", "message": "x"}',
        encoded(ExtractedText("x" * 100))[:-1],
        encoded(ExtractedText("x" * (MAX_CHARACTERS + 1))),
    ],
    ids=lambda answer: answer[:20],
)
def test_what_is_no_answer_is_an_invalid_file(answer: bytes) -> None:
    with pytest.raises(DocumentError) as refused:
        decoded(answer)
    assert refused.value.code == "invalid_file"


def test_a_reader_that_did_not_start_is_our_own_fault() -> None:
    reading = _reading(b"Traceback")
    with pytest.raises(DocumentError, match="could not start") as refused:
        decoded(reading.answer)
    assert refused.value.code == "server_error"
    assert not reading.filtered


@pytest.mark.parametrize(("said", "filtered"), [(READY, True), (UNFILTERED, False)])
def test_a_reader_says_whether_a_filter_holds_it(said: bytes, filtered: bool) -> None:
    reading = _reading(said + b"\n" + encoded(ExtractedText("Hello")))
    assert decoded(reading.answer).content == "Hello"
    assert reading.filtered is filtered
