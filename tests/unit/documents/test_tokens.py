"""Token counts against tiktoken's own reading of the same vocabulary."""

import base64
import hashlib

import pytest
import tiktoken_ext.openai_public
from hypothesis import given
from hypothesis import strategies as st

from assistants import tokens

DOCUMENT = (
    "Überraschung: l'été coûte 1234,50 €!\n\n\tfor i in range(10): print(i)  # 漢字 😀👩‍🚀\r\n"
)


def test_vocabulary_and_pattern_are_the_published_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    ranks = tokens.vocabulary()
    in_order = sorted(ranks, key=ranks.__getitem__)
    lines = (base64.b64encode(token) + b" %d\n" % rank for rank, token in enumerate(in_order))
    digest = hashlib.sha256(b"".join(lines)).hexdigest()

    def load(url: str, expected_hash: str) -> dict[bytes, int]:
        assert digest == expected_hash
        return ranks

    monkeypatch.setattr(tiktoken_ext.openai_public, "load_tiktoken_bpe", load)
    published = tiktoken_ext.openai_public.o200k_base()
    assert published["pat_str"] == tokens.PATTERN


@pytest.mark.parametrize(
    ("text", "expected"),
    # Counts of the real service's tokenizer, as published for o200k_base.
    [("", 0), ("hello world", 2), ("tiktoken is great!", 6), ("お誕生日おめでとう", 8)],
)
def test_a_text_has_the_published_number_of_tokens(text: str, expected: int) -> None:
    assert tokens.count(text) == expected


def test_a_long_text_counts_as_if_it_were_encoded_at_once() -> None:
    text = DOCUMENT * 13_000
    assert len(text) > 2 * tokens.PART
    once = tokens._encoding().encode_ordinary(text)
    assert tokens.count(text) == len(once)
    assert len(list(tokens.starts(text))) == len(once)


@pytest.mark.parametrize("text", ["x" + " " * 2_000_000 + "y", "\u3000" * 1_100_000])
def test_blanks_that_overflow_the_regular_expression_are_counted(text: str) -> None:
    assert 0 < tokens.count(text) <= len(text.encode())


@given(st.text())
def test_tokens_start_in_order_and_at_characters(text: str) -> None:
    starts = list(tokens.starts(text))
    assert starts == sorted(starts)
    assert len(starts) == tokens.count(text) <= len(text.encode())
    assert all(0 <= start < len(text) for start in starts)
