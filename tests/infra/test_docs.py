"""The pages of the documentation hold together: links, anchors, paths and targets exist."""

import ast
import re

import pytest

from infra.repository import REPOSITORY
from tests.support.markdown import PACKAGE, Page, located

PAGES = {
    name: Page.read(name)
    for name in sorted(
        str(path.relative_to(REPOSITORY))
        for pattern in ("*.md", "docs/**/*.md", "examples/**/*.md")
        for path in REPOSITORY.glob(pattern)
    )
}
MAX_README_LINES = 200
SUFFIXES = frozenset({"in", "json", "lock", "md", "mjs", "py", "svg", "toml", "txt", "yml"})
FOLDERS = frozenset(
    path.name
    for root in (REPOSITORY, PACKAGE)
    for path in root.iterdir()
    if path.is_dir() and not path.name.startswith((".", "__"))
)
MADE = (".cache/", "cdk.out/")  # by targets of make


def is_path(span: str) -> bool:
    """Whether a text in backticks names a file or a folder of the project."""
    if not re.fullmatch(r"[\w.-]+(/[\w.-]+)*/?", span) or span.startswith(MADE):
        return False
    first, slash, _ = span.partition("/")
    stem, dot, suffix = span.rpartition(".")
    return bool(slash and first in FOLDERS) or bool(stem and dot and suffix in SUFFIXES)


def defined(module: str, name: str) -> bool:
    """Whether a module of the package has a function or method of that name."""
    path = PACKAGE / f"{module}.py"
    return path.exists() and any(
        isinstance(node, ast.FunctionDef) and node.name == name
        for node in ast.walk(ast.parse(path.read_text()))
    )


def test_the_readme_is_short() -> None:
    assert len(PAGES["README.md"].text.splitlines()) <= MAX_README_LINES


@pytest.mark.parametrize("name", PAGES)
def test_every_link_leads_to_a_file_and_every_anchor_to_a_heading(name: str) -> None:
    broken = []
    for link in PAGES[name].links:
        target, _, anchor = link.partition("#")
        if re.match(r"[a-z]+:", target):
            continue
        place = ((REPOSITORY / name).parent / target).resolve() if target else REPOSITORY / name
        other = PAGES.get(str(place.relative_to(REPOSITORY)))
        if not place.exists() or (anchor and (other is None or anchor not in other.anchors)):
            broken.append(link)
    assert not broken


@pytest.mark.parametrize("name", PAGES)
def test_every_path_that_a_page_names_exists(name: str) -> None:
    missing = [
        span
        for span in PAGES[name].spans
        if is_path(span) and not located(span) and not defined(*span.rpartition(".")[::2])
    ]
    assert not missing


@pytest.mark.parametrize(
    ("span", "expected"),
    [
        ("http/endpoints/runs.py", True),
        ("services/no_such_folder", True),
        ("services/runs/service.create", True),
        ("no_such_file.toml", True),
        ("runs.create", False),
        ("/mnt/data/plot.png", False),
        ("functions/<name>/handler.py", False),
        (".docx", False),
    ],
)
def test_paths_are_distinguished_from_other_code(span: str, expected: bool) -> None:
    assert is_path(span) is expected


@pytest.mark.parametrize("name", PAGES)
def test_every_make_target_that_a_page_names_exists(name: str) -> None:
    named = set(re.findall(r"(?:^|`)make ([a-z]+(?:-[a-z]+)*)", PAGES[name].text, re.MULTILINE))
    declared = re.findall(r"^([a-z0-9-]+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE)
    assert named <= set(declared)


def test_every_folder_of_the_readmes_tree_exists() -> None:
    folders = re.findall(r"^( *)([\w.]+)/(?: |$)", PAGES["README.md"].text, re.MULTILINE)
    paths, parent = [], ""
    for indentation, folder in folders:
        parent = parent if indentation else folder
        paths.append(f"{parent}/{folder}" if indentation else folder)
    assert len(paths) > 8
    assert not [path for path in paths if not (REPOSITORY / path).is_dir()]


@pytest.mark.parametrize("index", ["docs/README.md", "docs/decisions/README.md"])
def test_an_index_lists_every_page_of_its_folder(index: str) -> None:
    folder = (REPOSITORY / index).parent
    assert {path.name for path in folder.glob("*.md")} - {"README.md"} <= set(PAGES[index].links)
