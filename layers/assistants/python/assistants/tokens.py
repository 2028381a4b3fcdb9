"""Token counts of `o200k_base`, the encoding of gpt-4o and later models.

`o200k_base.ranks` holds OpenAI's published vocabulary (MIT), which tiktoken would download at run
time: the lengths of its 199,998 tokens, one byte each, then their bytes, in rank order.
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

# tiktoken's regular expression panics on a million blanks in a row, so long texts are encoded in
# parts. They are cut before the blank between two words, where a token always ends.
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
    """Return the number of tokens of `text`.

    It is never more than its UTF-8 bytes, so that a caller with a budget need not count a shorter
    text. Without word breaks it may be one token too high per 500,000 characters.
    """
    return sum(len(_encoding().encode_ordinary(part)) for part in _parts(text))


def starts(text: str) -> Iterator[int]:
    """Yield the start of each token of `text`, in code points.

    A token that starts inside a character has the position of that character.
    """
    encoding = _encoding()
    base = 0
    for part in _parts(text):
        for at in encoding.decode_with_offsets(encoding.encode_ordinary(part))[1]:
            yield base + at
        base += len(part)


def vocabulary() -> dict[bytes, int]:
    """Return the rank of each token, by its bytes."""
    packed = VOCABULARY.read_bytes()
    ends = accumulate(packed[:TOKENS], initial=TOKENS)
    return {packed[start:end]: rank for rank, (start, end) in enumerate(pairwise(ends))}


@cache
def _encoding() -> "tiktoken.Encoding":
    import tiktoken  # here, because most functions never count tokens

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
