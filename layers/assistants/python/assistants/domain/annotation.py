"""Annotations: the sources that markers and links in a model's text refer to."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from assistants.domain.ids import FileId

LINK = "sandbox:/mnt/data/"
# The form of OpenAI's markers. The ASCII form [0:1] is not matched: in code it is a slice.
_MARKER = re.compile(r"【([0-9]{1,6}:[0-9]{1,6})(?:†[^【】\n]{0,200})?】")
_HALF_MARKER = re.compile(r"【(?:[0-9]{1,6}(?::(?:[0-9]{1,6}(?:†[^【】\n]{0,200})?)?)?)?")
_MARKER_BEGINS = re.compile(r"【(?=[0-9]{1,6}:[0-9])")
_LABEL = 100  # characters of a file's name in a marker
_HALF_LINK = "|".join(LINK[:length] for length in range(len(LINK) - 1, 0, -1))
_BEGINNING = re.compile(rf"【|{LINK}|(?:{_HALF_LINK})\Z")
_GOES_ON = re.compile(r"[\w/-]|\.\w")  # after a path: the path is the start of a longer one


@dataclass(frozen=True, slots=True)
class Citation:
    """The passage of a file that a marker refers to."""

    file_id: FileId
    quote: str


@dataclass(frozen=True, slots=True)
class Sources:
    """The sources that a text can refer to.

    `citations` are keyed by the `k:j` of their markers, `files` (ids) by path below /mnt/data.
    `images` are ids of Files that precede the text.
    """

    citations: Mapping[str, Citation] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    images: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Piece:
    """Text that no later text can change, and its annotations in the API's form."""

    value: str = ""
    annotations: tuple[dict[str, Any], ...] = ()

    def __add__(self, other: "Piece") -> "Piece":
        return Piece(self.value + other.value, self.annotations + other.annotations)


class AnnotatedText:
    """Annotate a text that arrives in parts. Text is held back from the point where a marker or a
    link may have begun.

    Markers of known passages and links to known files become annotations. Other markers, and an
    unfinished one at the end, are dropped; other links stay text. Without `cites` nothing is a
    marker. Positions count code points of the whole text.
    """

    def __init__(self, sources: Sources, *, cites: bool) -> None:
        self._citations = sources.citations
        self._cites = cites
        self._links = {
            LINK + spelling: file_id
            for path, file_id in sources.files.items()
            for spelling in _spellings(path)
        }
        self._held = ""
        self._length = 0

    def read(self, text: str) -> Piece:
        """Add the next part of the text; return the text that it makes final."""
        self._held += text
        return self._flush(last=False)

    def finish(self) -> Piece:
        """Return the text held back; no part follows."""
        return self._flush(last=True)

    def _flush(self, *, last: bool) -> Piece:
        text, self._held = self._held, ""
        piece, done = Piece(), 0
        for beginning in _BEGINNING.finditer(text):
            at = beginning.start()
            if at < done:
                continue
            rest = text[at:]
            if self._may_become(rest):
                if not last:
                    self._held = rest
                    return piece + self._plain(text[done:at])
                if _HALF_MARKER.fullmatch(rest):
                    return piece + self._plain(text[done:at])
            if (found := self._at_beginning_of(rest)) is not None:
                length, source = found
                piece += self._plain(text[done:at]) + self._annotated(rest[:length], source)
                done = at + length
        return piece + self._plain(text[done:])

    def _may_become(self, rest: str) -> bool:
        """Return whether more text could turn this into a marker or a (longer) link."""
        if self._cites and _HALF_MARKER.fullmatch(rest):
            return True
        return any(link.startswith(rest) or rest == f"{link}." for link in self._links)

    def _at_beginning_of(self, rest: str) -> tuple[int, dict[str, Any] | None] | None:
        """Return the length of the marker or link, and its annotation (None: unknown passage)."""
        if self._cites and (marker := _MARKER.match(rest)):
            citation = self._citations.get(marker[1])
            return marker.end(), _file_citation(citation) if citation else None
        links = [link for link in self._links if rest.startswith(link)]
        for link in sorted(links, key=len, reverse=True):
            if not _GOES_ON.match(rest, len(link)):
                path = {"type": "file_path", "file_path": {"file_id": self._links[link]}}
                return len(link), path
        return None

    def _plain(self, text: str) -> Piece:
        self._length += len(text)
        return Piece(text)

    def _annotated(self, text: str, source: dict[str, Any] | None) -> Piece:
        if source is None:
            return Piece()
        start = self._length
        place = {"text": text, "start_index": start, "end_index": start + len(text)}
        return Piece(self._plain(text).value, ({**source, **place},))


def marker(key: str, name: str) -> str:
    """Return the marker of passage `key` (`k:j`) of the file `name`, for the model to copy."""
    label = re.sub(r"[【】\n]", " ", name)[:_LABEL]
    return f"【{key}†{label}】"


def without_markers(text: str) -> str:
    """Return text from outside without markers, so that it cannot cite. Breaks incomplete ones."""
    return _MARKER_BEGINS.sub("[", _MARKER.sub("", text))


def _file_citation(citation: Citation) -> dict[str, Any]:
    cited = {"file_id": citation.file_id, "quote": citation.quote}
    return {"type": "file_citation", "file_citation": cited}


def _spellings(path: str) -> Iterator[str]:
    """Yield the spellings of a path that models use in links."""
    yield path
    yield quote(path)
