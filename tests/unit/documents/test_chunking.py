"""Chunks: within their bounds on every text, whole together, and cut where a reader would."""

from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistants import tokens
from assistants.documents import chunking
from assistants.documents.chunking import chunks
from assistants.domain.retrieval.document_text import DocumentError, ExtractedText, Heading

SENTENCE = "The quick brown fox jumps over the lazy dog near the river bank. "
PARAGRAPH = SENTENCE * 5 + "\n\n"
UNBROKEN = [
    "x" * 30_000,
    "漢字" * 5_000,
    "\U0001f600" * 3_000,
    "é" * 9_000,
    "a" + "\n" * 9_000 + "b",
]
UNBROKEN += ["e\u0301" * 5_000, "\u200d" * 3_000, "9" * 9_000, "!?" * 5_000, "ab\n" * 5_000]
PIECES = ["word", "don't", "12345", "\n", "\n\n", " ", "  ", ". ", "漢字", "\U0001f600", "x" * 70]
PIECES += ["café", "e\u0301", "\t", "a.b.c", "//", "。", "==>", "Unglück", "\u200d"]


def test_a_short_text_is_one_chunk() -> None:
    (only,) = chunks(ExtractedText("  hello \U0001f600 \n"))
    assert (only.number, only.text, only.start, only.end) == (0, "hello \U0001f600", 2, 9)
    assert chunks(ExtractedText(" \n")) == []


def test_blanks_at_the_end_are_no_chunk() -> None:
    (only,) = chunks(ExtractedText(". " * 100 + "\n \n \n"), size=102, overlap=50)
    assert only.end == 199


def test_chunks_end_between_paragraphs_and_overlap_by_whole_ones() -> None:
    found = chunks(ExtractedText(PARAGRAPH * 60))
    assert len(found) > 5
    for one, following in pairwise(found):
        assert one.text.endswith("river bank.")
        assert following.text.startswith("The quick")
        shared = (PARAGRAPH * 60)[following.start : one.end]
        assert 300 <= tokens.count(shared) <= 400


def test_without_overlap_nothing_is_said_twice() -> None:
    found = chunks(ExtractedText(PARAGRAPH * 20), size=200, overlap=0)
    assert "\n\n".join(one.text for one in found).split() == (PARAGRAPH * 20).split()
    assert all(one.end <= following.start for one, following in pairwise(found))


def test_a_heading_begins_a_chunk() -> None:
    before = SENTENCE * 12 + "\n"
    text = before + "Chapter two\n" + SENTENCE * 20
    found = chunks(
        ExtractedText(text, headings=(Heading(len(before), 1, "Chapter two"),)), size=200, overlap=0
    )
    assert found[1].text.startswith("Chapter two\n")
    assert (found[0].headings, found[1].headings) == ((), ("Chapter two",))


def test_a_chunk_knows_its_pages_and_the_titles_above_it() -> None:
    content = "".join(f"Page {n}. {SENTENCE * 10}\n" for n in range(1, 11))
    pages = tuple(content.index(f"Page {n}.") for n in range(1, 11))
    headings = tuple(
        Heading(pages[n - 1], level, title)
        for n, level, title in [(1, 1, "A"), (2, 2, "A1"), (4, 3, "A1a"), (6, 2, "A2"), (9, 1, "B")]
    )
    found = chunks(ExtractedText(content, pages, headings), size=160, overlap=0)
    titles = {1: "A", 2: "A A1", 4: "A A1 A1a", 6: "A A2", 9: "B"}
    for one in found:
        first = 1 + sum(start <= one.start for start in pages[1:])
        last = 1 + sum(start < one.end for start in pages[1:])
        assert one.pages == (first, last)
        assert " ".join(one.headings) == titles[max(n for n in titles if n <= first)]


@pytest.mark.parametrize("content", UNBROKEN)
def test_a_text_without_a_pause_is_cut_within_the_bounds(content: str) -> None:
    check(content, size=100, overlap=50)


def test_a_long_line_is_cut() -> None:
    check("x" * 200_000, size=4096, overlap=2048)


def test_a_text_of_too_many_tokens_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunking, "MAX_TOKENS", 1_000)
    assert len(chunks(ExtractedText("a b " * 499))) == 2
    with pytest.raises(DocumentError, match="more than 1,000 tokens") as refusal:
        chunks(ExtractedText("a b " * 501))
    assert refusal.value.code == "invalid_file"


def test_of_a_text_of_too_many_tokens_no_more_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """25,000,000 rare characters are 60,000,000 tokens, which took more memory than there is."""

    def starts(_: str) -> Iterator[int]:
        yield from range(1_001)
        pytest.fail("looked beyond")

    monkeypatch.setattr(chunking, "MAX_TOKENS", 1_000)
    monkeypatch.setattr(tokens, "starts", starts)
    with pytest.raises(DocumentError, match="more than 1,000 tokens"):
        chunks(ExtractedText("a b " * 501))


@given(
    content=st.lists(st.sampled_from(PIECES) | st.text(max_size=3), min_size=1, max_size=40).map(
        "".join
    ),
    repeated=st.integers(1, 200),
    size=st.integers(100, 300),
    share=st.floats(0, 0.5),
)
@settings(max_examples=200)
def test_chunks_of_any_text_keep_their_bounds(
    content: str, repeated: int, size: int, share: float
) -> None:
    check(content * repeated, size=size, overlap=int(size * share))


def check(content: str, *, size: int, overlap: int) -> None:
    found = chunks(ExtractedText(content), size=size, overlap=overlap)
    reached = 0
    for number, one in enumerate(found):
        assert one.number == number
        assert one.text == content[one.start : one.end] == one.text.strip() != ""
        assert tokens.count(one.text) <= size
        assert not content[reached : one.start].strip()
        reached = one.end
    assert not content[reached:].strip()
    for one, following in pairwise(found):
        assert one.start < following.start
        assert one.end < following.end
        assert tokens.count(content[following.start : one.end].strip()) <= overlap
