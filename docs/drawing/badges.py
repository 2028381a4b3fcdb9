"""Draw the badges of the README from what pyproject.toml says, so that no service is asked."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from docs.drawing.svg import add, picture, text_of

HEIGHT, MARGIN = 20, 7
STYLE = """text { font: 11px Verdana, "DejaVu Sans", Geneva, sans-serif; fill: #fff; }"""
LABEL_COLOUR = "#59636e"
# Verdana's widths at 11 px: of the narrow and the wide characters, and of most others.
NARROW, NARROW_WIDTH = frozenset("fijlrt.,- "), 4.2
WIDE, WIDE_WIDTH = frozenset("mwMW%+"), 10.0
OTHER_WIDTH = 6.7


@dataclass(frozen=True)
class Badge:
    """A label and what holds for it."""

    label: str
    value: str
    colour: str


def badges(pyproject: Path) -> dict[str, Badge]:
    """Return the badges by the names of their files."""
    settings = tomllib.loads(pyproject.read_text())
    project, report = settings["project"], settings["tool"]["coverage"]["report"]
    python = project["requires-python"].removeprefix(">=") + "+"
    return {
        "python": Badge("python", python, "#2f6fd0"),
        "licence": Badge("licence", project["license"], "#6e56cf"),
        "coverage": Badge("coverage", f"{report['fail_under']}%", "#1a7f37"),
    }


def draw(badge: Badge) -> str:
    """Return the picture of a badge."""
    left, right = _width(badge.label), _width(badge.value)
    whole = left + right
    root = picture(whole, HEIGHT, f"{badge.label}: {badge.value}", STYLE)
    add(add(root, "clipPath", id="shape"), "rect", width=whole, height=HEIGHT, rx=4)
    group = add(root, "g", clip_path="url(#shape)")
    add(group, "rect", width=left, height=HEIGHT, fill=LABEL_COLOUR)
    add(group, "rect", x=left, width=right, height=HEIGHT, fill=badge.colour)
    for text, start, width in ((badge.label, 0.0, left), (badge.value, left, right)):
        length = width - 2 * MARGIN
        add(group, "text", x=start + MARGIN, y=14, textLength=length).text = text
    return text_of(root)


def _width(text: str) -> float:
    return sum(map(_character_width, text)) + 2 * MARGIN


def _character_width(character: str) -> float:
    if character in NARROW:
        return NARROW_WIDTH
    return WIDE_WIDTH if character in WIDE else OTHER_WIDTH
