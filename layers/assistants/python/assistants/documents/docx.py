"""Word documents (.docx): paragraphs, tables and notes, with headings by outline level."""

from collections.abc import Iterator
from itertools import chain
from typing import BinaryIO

from assistants.documents.ooxml import Package, XmlEvent
from assistants.documents.text import TextWriter

BODY = "word/document.xml"
NOTES = ("word/footnotes.xml", "word/endnotes.xml")
STYLES = "word/styles.xml"
SKIPPED = {"Fallback"}  # the second form of a text box, for old readers
CHARACTERS = {"tab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}


def read(file: BinaryIO, writer: TextWriter) -> None:
    package = Package(file)
    levels = _heading_levels(package) if STYLES in package else {}
    _Body(writer, levels).read(package.events(BODY))
    notes = chain.from_iterable(package.events(name) for name in NOTES if name in package)
    _Body(writer, {}).read(notes)


class _Body:
    """Write each paragraph at its end, when its style and its text are known."""

    def __init__(self, writer: TextWriter, levels: dict[str, int]) -> None:
        self._writer = writer
        self._levels = levels
        self._buffer: list[str] = []
        self._level: int | None = None
        self._in_text = False
        self._cells = 0
        self._breaks = 0

    def read(self, events: Iterator[XmlEvent]) -> None:
        for event in _without(SKIPPED, events):
            if event.kind == "start":
                self._start(event)
            elif event.kind == "end":
                self._end(event.name)
            elif self._in_text:
                self._buffer.append(event.name)

    def _start(self, event: XmlEvent) -> None:
        if event.name == "t":
            self._in_text = True
        elif event.name == "pStyle":
            self._level = self._levels.get(event.get("val") or "")
        elif event.name == "outlineLvl":
            self._level = _outline_level(event)
        elif event.name == "lastRenderedPageBreak":
            self._breaks += 1
        elif event.name == "tc":
            self._cells += 1
        else:
            self._buffer.append(CHARACTERS.get(event.name, ""))

    def _end(self, name: str) -> None:
        if name == "t":
            self._in_text = False
        elif name == "p":
            self._paragraph()
        elif name == "tc":
            self._cells -= 1
            self._writer.add("\t")
        elif name == "tr":
            self._writer.add("\n")

    def _paragraph(self) -> None:
        text = "".join(self._buffer)
        for _ in range(self._breaks):
            self._writer.page()
        if self._level:
            self._writer.heading(self._level, text)
        self._writer.add(text + (" " if self._cells else "\n"))
        self._buffer, self._level, self._breaks = [], None, 0


def _heading_levels(package: Package) -> dict[str, int]:
    """Return the outline level of each style: its own, or that of the style it is based on."""
    own: dict[str, int | None] = {}
    based: dict[str, str] = {}
    style = ""
    for event in package.events(STYLES):
        if event.name == "style" and event.kind == "start":
            style = event.get("styleId") or ""
        elif event.name == "basedOn" and event.kind == "start":
            based[style] = event.get("val") or ""
        elif event.name == "outlineLvl" and event.kind == "start":
            own[style] = _outline_level(event)
    return {name: level for name in {*own, *based} if (level := _inherited(name, own, based))}


def _inherited(name: str, own: dict[str, int | None], based: dict[str, str]) -> int | None:
    seen: set[str] = set()
    while name not in own and name in based and name not in seen:
        seen.add(name)
        name = based[name]
    return own.get(name)


def _outline_level(event: XmlEvent) -> int | None:
    """Return the level from 1, None for body text. Word counts from 0, and 9 is body text."""
    value = event.get("val") or ""
    return int(value) + 1 if value in set("012345678") else None


def _without(names: set[str], events: Iterator[XmlEvent]) -> Iterator[XmlEvent]:
    depth = 0
    for event in events:
        inside = depth or event.name in names
        if inside and event.kind != "text":
            depth += 1 if event.kind == "start" else -1
        if not inside:
            yield event
