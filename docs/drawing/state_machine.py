"""Draw the state machine of a run as docs/state-machine.svg."""

from itertools import pairwise
from math import dist
from pathlib import Path
from xml.etree import ElementTree as ET

from docs.drawing.layout import BOXES, HEIGHT, ROUTES, START, WIDTH, Box
from docs.drawing.machine import Machine, State, Transition, read
from docs.drawing.svg import Point, add, picture, rounded, text_of

TITLE = "The state machine of a run"
STYLE = (Path(__file__).parent / "state_machine.css").read_text()
# Drawn in a square of 24; the lambda, the clock, the diamond, the stack and the tick of a state.
ICONS = {
    "Task": "M7.5 6h3l6 12h2.5M11.6 11.2L8 18",
    "Wait": "M12 5a7 7 0 1 0 .01 0M12 8v4l2.8 2",
    "Choice": "M12 5l7 7-7 7-7-7z",
    "Map": "M6 8h12M6 12h12M6 16h12",
    "Succeed": "M6 12.5l4 4 8-8.5",
}
ICON = 24
ARROW = 8


def draw(definition: Path) -> str:
    """Return the picture of the state machine that a file defines."""
    machine = read(definition)
    root = picture(WIDTH, HEIGHT, TITLE, STYLE)
    add(root, "rect", class_="card", x=1, y=1, width=WIDTH - 2, height=HEIGHT - 2, rx=14)
    frames = [state for state in machine.states.values() if state.kind == "Map"]
    for state in frames:
        _frame(root, state, BOXES[state.name])
    _start(root, machine)
    for transition in machine.transitions:
        _transition(root, transition)
    for state in machine.states.values():
        if state not in frames:
            _node(root, state, BOXES[state.name])
    return text_of(root)


def _start(root: ET.Element, machine: Machine) -> None:
    box = BOXES[machine.start]
    add(root, "circle", class_="start", cx=START[0], cy=START[1], r=6)
    _line(root, [(START[0] + 6, START[1]), (box.left, START[1])], "line")


def _frame(root: ET.Element, state: State, box: Box) -> None:
    group = _group(root, state)
    _rectangle(group, box, "frame")
    _icon(group, state, box.left + 12, box.top + 10)
    label = add(group, "text", x=box.left + 44, y=box.top + 27)
    add(label, "tspan", class_="name").text = state.name
    many = f"each call, up to {state.concurrency} side by side"
    add(label, "tspan", class_="detail", dx=8).text = many


def _node(root: ET.Element, state: State, box: Box) -> None:
    group = _group(root, state)
    _rectangle(group, box, "node")
    _icon(group, state, box.left + 10, box.y - ICON / 2)
    y = box.y - 3 if state.folder else box.y + 5
    add(group, "text", class_="name", x=box.left + 43, y=y).text = state.name
    if state.folder:
        add(group, "text", class_="folder", x=box.left + 43, y=box.y + 13).text = state.folder


def _group(root: ET.Element, state: State) -> ET.Element:
    group = add(root, "g", class_=state.kind.lower())
    add(group, "title").text = state.comment
    return group


def _rectangle(group: ET.Element, box: Box, kind: str) -> None:
    size = {"width": box.width, "height": box.height}
    add(group, "rect", class_=kind, x=box.left, y=box.top, rx=9, **size)


def _icon(group: ET.Element, state: State, x: float, y: float) -> None:
    icon = add(group, "g", transform=f"translate({x:g} {y:g})")
    add(icon, "rect", class_="tile", width=ICON, height=ICON, rx=6)
    add(icon, "path", class_="sign", d=ICONS[state.kind])


def _transition(root: ET.Element, transition: Transition) -> None:
    points = ROUTES[transition.source, transition.target]
    _line(root, points, "line error" if transition.error else "line")
    if transition.label:
        _label(root, transition, points)


def _line(root: ET.Element, points: list[Point], kind: str) -> None:
    """Add a line that ends in an arrow head."""
    (x0, y0), (x, y) = points[-2:]
    length = dist((x0, y0), (x, y))
    dx, dy = (x - x0) / length, (y - y0) / length
    neck = (x - dx * ARROW, y - dy * ARROW)
    add(root, "path", class_=kind, d=rounded([*points[:-1], neck], radius=10))
    half = ARROW * 0.55
    left = (neck[0] - dy * half, neck[1] + dx * half)
    right = (neck[0] + dy * half, neck[1] - dx * half)
    corners = " ".join(f"{a:g},{b:g}" for a, b in ((x, y), left, right))
    add(root, "polygon", class_=f"{kind} head", points=corners)


def _label(root: ET.Element, transition: Transition, points: list[Point]) -> None:
    """Add a label above the longest part of the line, or to the right of a vertical one."""
    (x0, y0), (x1, y1) = max(pairwise(points), key=lambda pair: dist(*pair))
    kind = "label error" if transition.error else "label"
    x, y = (x0 + x1) / 2, (y0 + y1) / 2
    if y0 == y1:
        label = add(root, "text", class_=kind, x=x, y=y - 7, text_anchor="middle")
    else:
        label = add(root, "text", class_=kind, x=x + 8, y=y + 4)
    label.text = transition.label
