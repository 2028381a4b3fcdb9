"""PowerPoint presentations (.pptx): each slide is a page, with its title as a heading."""

from collections.abc import Iterator
from typing import BinaryIO

from assistants.documents.ooxml import Package, XmlEvent
from assistants.documents.text import TextWriter

PRESENTATION = "ppt/presentation.xml"
TITLES = {"title", "ctrTitle"}


def read(file: BinaryIO, writer: TextWriter) -> None:
    package = Package(file)
    for slide in _slides(package):
        writer.page()
        _Slide(writer).read(package.events(slide))
        for part in package.relations(slide).values():
            if "notesSlide" in part and part in package:
                _Slide(writer).read(package.events(part))
        writer.add("\n")


def _slides(package: Package) -> Iterator[str]:
    parts = package.relations(PRESENTATION)
    for event in package.events(PRESENTATION):
        if event.kind == "start" and event.name == "sldId":
            relation = (value for name, value in event.attributes.items() if name.endswith("}id"))
            part = parts.get(next(relation, ""), "")
            if part in package:
                yield part


class _Slide:
    """Collect a slide's text from its shapes (`sp`); one with a placeholder (`ph`) is the title."""

    def __init__(self, writer: TextWriter) -> None:
        self._writer = writer
        self._paragraph: list[str] = []
        self._in_title = False
        self._in_text = False

    def read(self, events: Iterator[XmlEvent]) -> None:
        for event in events:
            if event.kind == "start":
                self._start(event)
            elif event.kind == "end":
                self._end(event.name)
            elif self._in_text:
                self._paragraph.append(event.name)

    def _start(self, event: XmlEvent) -> None:
        if event.name == "t":
            self._in_text = True
        elif event.name == "br":
            self._paragraph.append("\n")
        elif event.name == "sp":
            self._in_title = False
        elif event.name == "ph":
            self._in_title = event.get("type") in TITLES

    def _end(self, name: str) -> None:
        if name == "t":
            self._in_text = False
        elif name == "p":
            text, self._paragraph = "".join(self._paragraph), []
            if self._in_title:
                self._writer.heading(1, text)
            self._writer.add(text + "\n")
