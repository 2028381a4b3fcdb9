"""Reads the project's Markdown pages: headings, tables, lists, links and code spans."""

import re
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

from infra.repository import REPOSITORY

PACKAGE = REPOSITORY / "layers/assistants/python/assistants"
_FENCE = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_SPAN = re.compile(r"`([^`]+)`")
_ITEM = re.compile(r"^\d+\. (.+(?:\n {3}.+)*)", re.MULTILINE)


@dataclass(frozen=True)
class Page:
    """`name` is the page's path in the repository, `text` what it says."""

    name: str
    text: str

    @classmethod
    def read(cls, name: str) -> Self:
        return cls(name, (REPOSITORY / name).read_text())

    @cached_property
    def prose(self) -> str:
        """The text without its fenced blocks."""
        return _FENCE.sub("", self.text)

    @cached_property
    def headings(self) -> list[str]:
        return _HEADING.findall(self.prose)

    @cached_property
    def anchors(self) -> set[str]:
        """The fragments that GitHub gives the headings."""
        seen: Counter[str] = Counter()
        anchors = set()
        for heading in self.headings:
            slug = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
            anchors.add(f"{slug}-{seen[slug]}" if seen[slug] else slug)
            seen[slug] += 1
        return anchors

    @cached_property
    def links(self) -> list[str]:
        """The targets of links and images."""
        return _LINK.findall(self.prose)

    @cached_property
    def spans(self) -> list[str]:
        """The texts in backticks."""
        return _SPAN.findall(self.prose)

    def section(self, heading: str) -> Self:
        """Return the page from a heading of the second level to the next."""
        _, found, rest = self.text.partition(f"\n## {heading}\n")
        if not found:
            raise LookupError(f"{self.name} has no section '{heading}'.")
        return type(self)(self.name, rest.partition("\n## ")[0])

    def rows(self, number: int = 0) -> list[list[str]]:
        """Return the cells of a table, without its head."""
        tables = re.findall(r"(?:^\|.*\n)+", f"{self.text}\n", re.MULTILINE)
        lines = tables[number].splitlines()[2:]
        return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]

    @cached_property
    def items(self) -> list[str]:
        """The items of the numbered lists, each with the lines that continue it."""
        return _ITEM.findall(self.prose)


def spans_of(cell: str) -> list[str]:
    """Return the texts in backticks of a cell or an item."""
    return _SPAN.findall(cell)


def located(path: str) -> Path | None:
    """Return the file or folder of this name, in the repository or in the package."""
    candidates = (REPOSITORY / path, PACKAGE / path)
    return next((place for place in candidates if place.exists()), None)
