"""Draw a recorded terminal session as an animated picture, without a script in it."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

from docs.drawing.recording import Fragment, Recording, read
from docs.drawing.svg import add, number, picture, text_of

STYLE = (Path(__file__).parent / "terminal.css").read_text()
CELL_WIDTH, ROW_HEIGHT = 7.8, 19
MARGIN, BAR = 20, 38
PROMPT = "$ "
START_SECONDS = 1.0  # for so long only the command is shown
END_SECONDS = 6.0  # and for so long the whole session, before it begins again
SPEAKER = re.compile(r"[a-z ]{9} >")
HEADING = re.compile(r"(time|states|AWS calls) +")
WORDS = re.compile(r"\S+(?: \S+)*")  # of several spaces in a row SVG would show one


def draw(cast: Path) -> str:
    """Return the picture of a recording."""
    recording = read(cast)
    fragments = [
        replace(fragment, seconds=fragment.seconds + START_SECONDS)
        for fragment in recording.fragments
    ]
    rows = max(fragment.row for fragment in fragments) + 2
    width = 2 * MARGIN + recording.columns * CELL_WIDTH
    height = BAR + rows * ROW_HEIGHT + MARGIN
    moments = sorted({fragment.seconds for fragment in fragments})
    style = STYLE + "".join(_appearances(moments))
    root = picture(width, height, f"A terminal session: {recording.command}", style)
    _window(root, width, height, recording)
    _write(root, 0, 0, PROMPT, "prompt")
    _write(root, 0, len(PROMPT), recording.command, "command")
    for fragment in fragments:
        group = add(root, "g", class_=f"p t{moments.index(fragment.seconds)}")
        for column, text, kind in _parts(fragment):
            _write(group, fragment.row + 1, column, text, kind)
    return text_of(root)


def _appearances(moments: list[float]) -> Iterator[str]:
    """Yield an animation for each moment: hidden until then, and shown from then on."""
    whole = moments[-1] + END_SECONDS
    yield f".p{{animation-duration:{number(whole)}s}}\n"
    for index, seconds in enumerate(moments):
        share = number(100 * seconds / whole)
        yield f".t{index}{{animation-name:t{index}}}"
        yield f"@keyframes t{index}{{0%{{visibility:hidden}}{share}%{{visibility:visible}}}}\n"


def _parts(fragment: Fragment) -> Iterator[tuple[int, str, str]]:
    """Yield a leading speaker or heading of the row, if it has one, and the rest."""
    match = (
        (SPEAKER.match(fragment.text) or HEADING.match(fragment.text))
        if fragment.column == 0
        else None
    )
    end = match.end() if match else 0
    if match:
        yield 0, match[0], "heading" if HEADING.match(fragment.text) else match[0].split()[0]
    yield fragment.column + end, fragment.text[end:], "said"


def _window(root: ET.Element, width: float, height: float, recording: Recording) -> None:
    add(root, "rect", class_="window", x=1, y=1, width=width - 2, height=height - 2, rx=10)
    for index, kind in enumerate(("close", "minimise", "zoom")):
        add(root, "circle", class_=kind, cx=MARGIN + 2 + index * 20, cy=BAR / 2, r=6)
    title = add(root, "text", class_="title", x=width / 2, y=BAR / 2 + 4, text_anchor="middle")
    title.text = recording.command


def _write(parent: ET.Element, row: int, column: int, text: str, kind: str) -> None:
    """Add text on the grid of the terminal, whatever font the reader has."""
    for words in WORDS.finditer(text):
        add(
            parent,
            "text",
            class_=kind,
            x=MARGIN + (column + words.start()) * CELL_WIDTH,
            y=BAR + (row + 0.75) * ROW_HEIGHT,
            textLength=len(words[0]) * CELL_WIDTH,
        ).text = words[0]
