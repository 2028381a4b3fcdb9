"""The words of a query, as an index looks them up."""

import re
from unicodedata import category

MAX_CHARACTERS = 1_000  # an index takes 1,024 terms a query, and each has a character and a gap

# Chinese and Japanese characters, which stand in a row without a blank: each counts as a word.
_UNSPACED = re.compile(r"([\u2e80-\u2fdf\u3005-\u3007\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff])")

# Lucene's English stop words: they match nearly everything and say nothing.
_STOP_WORDS = (
    "a an and are as at be but by for if in into is it no not of on or such that the their then "
    "there these they this to was will with"
)
STOP_WORDS = frozenset(_STOP_WORDS.split())


def spaced(text: str) -> str:
    """The text with a blank around each character of a script that is written without them."""
    return _UNSPACED.sub(r" \1 ", text)


def query_words(text: str) -> list[str]:
    """The distinct runs of letters, digits and marks, up to 1,000 characters in all.

    Stop words are left out, unless there are no others.
    """
    text = "".join(char if category(char)[0] in "LNM" else " " for char in text[:MAX_CHARACTERS])
    words = list(dict.fromkeys(spaced(text).split()))
    return [word for word in words if word.lower() not in STOP_WORDS] or words
