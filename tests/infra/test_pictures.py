"""The pictures of the documentation show what they were drawn from."""

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from docs.drawing import REPOSITORY, pictures
from docs.drawing.layout import BOXES, ROUTES
from docs.drawing.machine import read as read_machine
from docs.drawing.recording import NotPlainError
from docs.drawing.recording import read as read_recording
from docs.drawing.svg import rounded

MACHINE = read_machine(REPOSITORY / "statemachines/run.asl.json")
DRAWN = pictures()
MOST_BYTES = 200_000


@pytest.mark.parametrize("path", DRAWN, ids=lambda path: path.name)
def test_a_picture_is_what_make_pictures_draws(path: Path) -> None:
    assert path.read_text() == DRAWN[path]


@pytest.mark.parametrize("path", DRAWN, ids=lambda path: path.name)
def test_a_picture_is_small_and_needs_nothing_else(path: Path) -> None:
    assert len(DRAWN[path].encode()) < MOST_BYTES
    names = {element.tag.rpartition("}")[2] for element in ET.fromstring(DRAWN[path]).iter()}
    assert names.isdisjoint({"script", "image", "use", "foreignObject"})
    assert "@import" not in DRAWN[path]


def test_every_state_and_every_transition_is_laid_out() -> None:
    assert set(BOXES) == set(MACHINE.states)
    assert set(ROUTES) == {(way.source, way.target) for way in MACHINE.transitions}


def test_a_line_leads_from_the_border_of_its_state_to_that_of_the_next() -> None:
    def on_border(name: str, x: float, y: float) -> bool:
        box = BOXES[name]
        vertical = x in (box.left, box.right) and box.top <= y <= box.bottom
        return vertical or (y in (box.top, box.bottom) and box.left <= x <= box.right)

    for (source, target), points in ROUTES.items():
        assert on_border(source, *points[0]), source
        assert on_border(target, *points[-1]), target


def test_no_two_states_overlap() -> None:
    inside = {"WhichTool", "RunCode", "SearchFiles"}
    boxes = [box for name, box in BOXES.items() if name not in inside]
    for box in boxes:
        for other in boxes:
            apart = box.right < other.left or box.bottom < other.top
            assert box is other or apart or other.right < box.left or other.bottom < box.top


def test_a_task_names_the_folder_of_its_function() -> None:
    folders = [state.folder for state in MACHINE.states.values() if state.folder]
    assert folders
    assert all((REPOSITORY / "functions" / folder / "handler.py").is_file() for folder in folders)


def test_a_corner_is_round() -> None:
    assert rounded([(0, 0), (20, 0), (20, 20)], 5) == "M0 0L15 0Q20 0 20 5L20 20"


def cast(path: Path, *events: tuple[float, str]) -> Path:
    header = {"version": 2, "width": 8, "height": 4, "idle_time_limit": 2, "title": "make demo"}
    lines = [header, *([seconds, "o", text] for seconds, text in events)]
    path.write_text("\n".join(json.dumps(line) for line in lines))
    return path


def test_a_recording_is_read_as_a_terminal_shows_it(tmp_path: Path) -> None:
    events = (9.0, "one\r\n\r\ntwo"), (10.0, " three")
    fragments = read_recording(cast(tmp_path / "a.cast", *events)).fragments
    assert [
        (fragment.seconds, fragment.row, fragment.column, fragment.text) for fragment in fragments
    ] == [
        (2.0, 0, 0, "one"),
        (2.0, 2, 0, "two"),
        (3.0, 2, 3, " thre"),
        (3.0, 3, 0, "e"),
    ]


def test_a_recording_that_moves_the_cursor_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotPlainError):
        read_recording(cast(tmp_path / "a.cast", (0.1, "\x1b[2Jone")))
