"""Read a recorded terminal session: which text appeared where, and when."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


class NotPlainError(Exception):
    """Raised when a recording moves the cursor or sets colours, which nothing here draws."""


@dataclass(frozen=True)
class Fragment:
    """Text that appeared at once in one row."""

    seconds: float
    row: int
    column: int
    text: str


@dataclass(frozen=True)
class Recording:
    """A session of a terminal; `command` is what was run in it."""

    command: str
    columns: int
    fragments: tuple[Fragment, ...]


def read(path: Path) -> Recording:
    """Read a file of asciicast's version 2. Raises `NotPlainError`."""
    header, *events = [json.loads(line) for line in path.read_text().splitlines()]
    columns, most = header["width"], header["idle_time_limit"]
    written = [(at, text) for at, kind, text in events if kind == "o"]
    return Recording(header["title"], columns, tuple(_fragments(_limited(written, most), columns)))


def _limited(events: list[tuple[float, str]], most: float) -> Iterator[tuple[float, str]]:
    """Yield the events with pauses of at most `most` seconds between them."""
    before, clock = 0.0, 0.0
    for at, text in events:
        clock += min(at - before, most)
        before = at
        yield clock, text


def _fragments(events: Iterator[tuple[float, str]], columns: int) -> Iterator[Fragment]:
    """Yield the text by rows, wrapped at the width of the terminal."""
    row, column = 0, 0
    for seconds, text in events:
        for number, line in enumerate(text.replace("\r\n", "\n").split("\n")):
            if number:
                row, column = row + 1, 0
            if not line.isprintable():
                raise NotPlainError(line)
            while line:
                if column == columns:
                    row, column = row + 1, 0
                part, line = line[: columns - column], line[columns - column :]
                yield Fragment(seconds, row, column, part)
                column += len(part)
