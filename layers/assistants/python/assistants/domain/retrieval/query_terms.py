"""The words of a query that an index looks up."""

import re
from unicodedata import category

MAX_CHARACTERS = 1_000  # Lucene takes 1,024 clauses a query; a term has a character and a gap

# Chinese and Japanese characters, which are written without spaces: each counts as a word.
_UNSPACED = re.compile(r"([\u2e80-\u2fdf\u3005-\u3007\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff])")

# Lucene's English stop words, which occur in nearly every passage.
_STOP_WORDS = (
    "a an and are as at be but by for if in into is it no not of on or such that the their then "
    "there these they this to was will with"
)
STOP_WORDS = frozenset(_STOP_WORDS.split())


def spaced(text: str) -> str:
    """Return the text with spaces around each character of `_UNSPACED`."""
    return _UNSPACED.sub(r" \1 ", text)


def query_words(text: str) -> list[str]:
    """Return the distinct words (letters, digits, marks) of the first 1,000 characters.

    Stop words are omitted, unless there are no other words.
    """
    text = "".join(char if category(char)[0] in "LNM" else " " for char in text[:MAX_CHARACTERS])
    words = list(dict.fromkeys(spaced(text).split()))
    return [word for word in words if word.lower() not in STOP_WORDS] or words
