"""The words of a query, as an index looks them up."""

import re
from unicodedata import category

MAX_CHARACTERS = 1_000  # an index takes 1,024 terms a query, and each has a character and a gap

# Chinese and Japanese characters, which stand in a row without a blank: each counts as a word.
_UNSPACED = re.compile(r"([\u2e80-\u2fdf\u3005-\u3007\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff])")


def spaced(text: str) -> str:
    """The text with a blank around each character of a script that is written without them."""
    return _UNSPACED.sub(r" \1 ", text)


def query_words(text: str) -> list[str]:
    """The distinct runs of letters, digits and marks, up to 1,000 characters in all."""
    text = "".join(char if category(char)[0] in "LNM" else " " for char in text[:MAX_CHARACTERS])
    return list(dict.fromkeys(spaced(text).split()))
