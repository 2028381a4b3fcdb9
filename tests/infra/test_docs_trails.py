"""The pages that lead to the code name existing files, how many they are and what they hold."""

import ast
import re

import pytest

from tests.support.markdown import PACKAGE, Page, located, spans_of

PAGES = [Page.read(f"docs/{name}.md") for name in ("finding-your-way", "extending")]
TRAILS = {
    heading: page.section(heading)
    for page in PAGES
    for heading in page.headings
    if heading.endswith(" files)")
}
STATUS = "Where is a run's status changed? (7 files)"


def names_in(item: str) -> set[str]:
    """The identifiers that an item gives for its file."""
    return {
        part
        for span in spans_of(item)[1:]
        if re.fullmatch(r"[A-Za-z_]\w*(\.\w+)*", span)
        for part in span.split(".")
    }


@pytest.mark.parametrize("heading", TRAILS)
def test_a_trail_has_as_many_files_as_its_heading_says(heading: str) -> None:
    assert heading.endswith(f"({len(TRAILS[heading].items)} files)")


@pytest.mark.parametrize("heading", TRAILS)
def test_each_step_of_a_trail_names_a_file_with_what_is_in_it(heading: str) -> None:
    for item in TRAILS[heading].items:
        path = spans_of(item)[0]
        if "<" in path:
            continue  # a file that the reader adds
        place = located(path)
        assert place is not None, path
        assert place.is_file(), path
        text = place.read_text()
        absent = {name for name in names_in(item) if not re.search(rf"\b{name}\b", text)}
        assert not absent, path


def test_both_pages_have_trails() -> None:
    assert [page.name for page in PAGES if TRAILS.keys().isdisjoint(page.headings)] == []


def test_the_trail_of_a_runs_status_names_everybody_who_decides_it() -> None:
    deciders = {spans_of(item)[0] for item in TRAILS[STATUS].items[2:]}
    assert deciders == {
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) == "Change"
        and any(keyword.arg == "status" for keyword in node.keywords)
    }
