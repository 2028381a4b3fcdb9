"""Chunking: cuts a text into overlapping chunks that end where a reader would pause."""

from bisect import bisect_right
from collections.abc import Iterable
from itertools import islice

from assistants import tokens
from assistants.domain.retrieval.document_text import DocumentError, ExtractedText, Heading
from assistants.domain.retrieval.passage import Chunk

DEFAULT_SIZE, DEFAULT_OVERLAP = 800, 400
MAX_TOKENS = 5_000_000

# A chunk may be shorter by 1 / LEEWAY to end at a better place, and an overlap to begin at one.
LEEWAY = 4
SENTENCE_ENDS = frozenset(".!?。！？…")


def chunks(
    text: ExtractedText, *, size: int = DEFAULT_SIZE, overlap: int = DEFAULT_OVERLAP
) -> list[Chunk]:
    """Cut a text into chunks, which together contain all of it but the blanks around them.

    `size` and `overlap` are in o200k_base tokens; the overlap is at most half of the size.

    Raises `DocumentError` if the text has more than 5,000,000 tokens.
    """
    cutter = _Cutter(text)
    outline = _Outline(text.headings)
    found: list[Chunk] = []
    for start, end in cutter.spans(size, overlap):
        pages = None
        if text.pages:
            pages = (bisect_right(text.pages, start), bisect_right(text.pages, end - 1))
        path = outline.above(start)
        found.append(Chunk(len(found), text.content[start:end], start, end, pages, path))
    return found


class _Cutter:
    """Measure in tokens, and cut only where a token starts.

    Raises `DocumentError` if there are too many. It stops tokenizing at the limit, since tokens
    take far more memory than their text.
    """

    def __init__(self, text: ExtractedText) -> None:
        self._content = text.content
        self._headings = {heading.start for heading in text.headings}
        self._starts = list(islice(tokens.starts(text.content), MAX_TOKENS + 1))
        self.tokens = len(self._starts)
        if self.tokens > MAX_TOKENS:
            raise DocumentError("invalid_file", f"The file has more than {MAX_TOKENS:,} tokens.")
        self._starts.append(len(text.content))

    def spans(self, size: int, overlap: int) -> Iterable[tuple[int, int]]:
        """Yield the start and the end of each chunk, in code points."""
        first, last, reached = 0, 0, 0
        while last < self.tokens:
            last = self._end(first, min(first + size, self.tokens), size)
            start, end = self._trimmed(first, last)
            if end > max(start, reached):  # otherwise only blanks are new
                yield start, end
                reached = end
            first = self._next_start(first, last, overlap)

    def _end(self, first: int, last: int, size: int) -> int:
        """Return the best token to end before.

        A part can have more tokens by itself than in the whole text, if the cut splits a word.
        """
        if last < self.tokens:
            last = max(range(last, last - size // LEEWAY, -1), key=self._quality)
        while (excess := self._count(first, last) - size) > 0:
            last -= _step(excess, last - first)
        return last

    def _next_start(self, first: int, last: int, overlap: int) -> int:
        """Return the best token to begin with, after `first`."""
        if overlap == 0 or last == self.tokens:
            return last
        first = max(last - overlap, first + 1)
        first = max(range(first, min(first + overlap // LEEWAY, last) + 1), key=self._quality)
        while (excess := self._count(first, last) - overlap) > 0:
            first += _step(excess, last - first)
        return first

    def _quality(self, token: int) -> int:
        """Return how well a reader can pause before this token: -1 in a word, 4 at a heading."""
        content, at = self._content, self._starts[token]
        if at in self._headings:
            return 4
        if content[at - 2 : at] == "\n\n":
            return 3
        if content[at - 1 : at] == "\n":
            return 2
        before, after = content[at - 1 : at], content[at : at + 1]
        if before in SENTENCE_ENDS and (after.isspace() or before > "\x7f"):
            return 1
        return 0 if after.isspace() or before.isspace() else -1

    def _count(self, first: int, last: int) -> int:
        start, end = self._trimmed(first, last)
        return tokens.count(self._content[start:end])

    def _trimmed(self, first: int, last: int) -> tuple[int, int]:
        start, end = self._starts[first], self._starts[last]
        part = self._content[start:end]
        return end - len(part.lstrip()), start + len(part.rstrip())


def _step(excess: int, length: int) -> int:
    """Return how many tokens to remove: about the excess, and never all of them."""
    return max(1, min(excess, length // 2))


class _Outline:
    """The headings above each position of a text."""

    def __init__(self, headings: Iterable[Heading]) -> None:
        self._starts: list[int] = []
        self._paths: list[tuple[str, ...]] = []
        stack: list[Heading] = []
        for heading in headings:
            while stack and stack[-1].level >= heading.level:
                stack.pop()
            stack.append(heading)
            self._starts.append(heading.start)
            self._paths.append(tuple(above.title for above in stack))

    def above(self, at: int) -> tuple[str, ...]:
        number = bisect_right(self._starts, at)
        return self._paths[number - 1] if number else ()
