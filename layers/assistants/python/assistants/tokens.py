"""Token counts without a network, exact for `o200k_base`, the encoding of gpt-4o and later models.

`o200k_base.ranks` beside this module holds OpenAI's published vocabulary (MIT): the length of each
of its 199,998 tokens, one byte each, then their bytes, in rank order. tiktoken would download the
same list at run time.
"""

import re
from collections.abc import Iterator
from functools import cache
from itertools import accumulate, pairwise
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import tiktoken

VOCABULARY = Path(__file__).with_name("o200k_base.ranks")
TOKENS = 199_998

# tiktoken's regular expression gives up (as a Rust panic) on a million blanks in a row, so longer
# texts are encoded in parts, cut before the blank between two words, which is a cut of every token.
PART = 500_000
BETWEEN_WORDS = re.compile(r"(?<=\S)(?= \w)|(?<=\n)(?=[^\W\d_])")

# https://github.com/openai/tiktoken/blob/main/tiktoken_ext/openai_public.py
PATTERN = "|".join(
    [
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
        r"\p{N}{1,3}",
        r" ?[^\s\p{L}\p{N}]+[\r\n/]*",
        r"\s*[\r\n]+",
        r"\s+(?!\S)",
        r"\s+",
    ]
)


def count(text: str) -> int:
    """How many tokens `text` is.

    Never more than its UTF-8 bytes, so a caller with a budget need not count a shorter text. Above
    500,000 characters without a word break the sum may be a token too high for each 500,000.
    """
    return sum(len(_encoding().encode_ordinary(part)) for part in _parts(text))


def starts(text: str) -> Iterator[int]:
    """The position in `text`, in code points, at which each of its tokens starts.

    A token that begins inside a character is given the position of that character.
    """
    encoding = _encoding()
    base = 0
    for part in _parts(text):
        for at in encoding.decode_with_offsets(encoding.encode_ordinary(part))[1]:
            yield base + at
        base += len(part)


def vocabulary() -> dict[bytes, int]:
    """Every token's bytes and its rank."""
    packed = VOCABULARY.read_bytes()
    ends = accumulate(packed[:TOKENS], initial=TOKENS)
    return {packed[start:end]: rank for rank, (start, end) in enumerate(pairwise(ends))}


@cache
def _encoding() -> "tiktoken.Encoding":
    import tiktoken  # here, because most functions never count

    return tiktoken.Encoding(
        "o200k_base", pat_str=PATTERN, mergeable_ranks=vocabulary(), special_tokens={}
    )


def _parts(text: str) -> Iterator[str]:
    start = 0
    while len(text) - start > PART:
        breaks = list(BETWEEN_WORDS.finditer(text, start + PART - 2_000, start + PART))
        end = breaks[-1].start() if breaks else start + PART
        yield text[start:end]
        start = end
    yield text[start:]
