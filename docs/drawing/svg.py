"""Write SVG: elements, rounded lines, and the file."""

from collections.abc import Sequence
from math import dist
from xml.etree import ElementTree as ET

Point = tuple[float, float]

ET.register_namespace("", "http://www.w3.org/2000/svg")


def picture(width: float, height: float, title: str, style: str) -> ET.Element:
    """Return an empty picture; screen readers read its title."""
    root = ET.Element(
        "svg",
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "viewBox": f"0 0 {number(width)} {number(height)}",
            "width": number(width),
            "height": number(height),
            "role": "img",
            "aria-label": title,
        },
    )
    add(root, "title").text = title
    add(root, "style").text = style
    return root


def add(parent: ET.Element, tag: str, **attributes: str | float) -> ET.Element:
    """Append an element; `stroke_width=2` becomes `stroke-width="2"`, `class_` becomes `class`."""
    named = {
        name.rstrip("_").replace("_", "-"): value if isinstance(value, str) else number(value)
        for name, value in attributes.items()
    }
    return ET.SubElement(parent, tag, named)


def number(value: float) -> str:
    """Return a number with at most two decimals."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def rounded(points: Sequence[Point], radius: float) -> str:
    """Return the data of a path along `points` whose corners are round."""
    parts = [f"M{_pair(points[0])}"]
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        parts.append(f"L{_pair(_toward(corner, before, radius))}")
        parts.append(f"Q{_pair(corner)} {_pair(_toward(corner, after, radius))}")
    parts.append(f"L{_pair(points[-1])}")
    return "".join(parts)


def text_of(root: ET.Element) -> str:
    """Return the picture as the text of a file."""
    ET.indent(root, space=" ")
    return ET.tostring(root, encoding="unicode") + "\n"


def _toward(start: Point, end: Point, length: float) -> Point:
    share = length / dist(start, end)
    return (start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share)


def _pair(point: Point) -> str:
    return f"{number(point[0])} {number(point[1])}"
