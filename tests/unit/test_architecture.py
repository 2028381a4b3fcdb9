"""The shape of the code: which way imports point, how large a file or a function may be, names."""

import ast
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "layers/assistants/python/assistants"
HEIGHTS = {
    "": 0,  # the package itself: its version
    "domain": 1,
    "settings": 1,
    "telemetry": 1,
    "tokens": 1,
    "ports": 2,
    "services": 3,
    "adapters": 3,
    "documents": 3,
    "http": 4,
    "bootstrap": 5,
    "cli": 5,
}
FUNCTIONS = sorted((ROOT / "functions").glob("*/handler.py"))
PRODUCT = sorted(
    path
    for folder in ("docs", "layers", "functions", "infra")
    for path in (ROOT / folder).rglob("*.py")
)
VAGUE = frozenset({"utils", "util", "helpers", "helper", "common", "manager", "managers", "misc"})
MAX_FILE_LINES = 250
MAX_FUNCTION_LINES = 30


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


def module_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def modules() -> dict[str, Path]:
    return {module_of(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def imported(path: Path) -> Iterator[str]:
    """Every module that a file imports, at its top and inside its functions alike."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{relative(path)} imports relatively"
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield whole if whole in modules() else str(node.module)


def ours(path: Path) -> set[str]:
    return {name for name in imported(path) if name.split(".")[0] == "assistants"}


def part_of(module: str) -> str:
    """`services` of `assistants.services.runs.service`; `` for the package itself."""
    return module.partition(".")[2].partition(".")[0]


def test_every_part_of_the_package_has_a_height() -> None:
    assert {part_of(module) for module in modules()} == set(HEIGHTS)


@pytest.mark.parametrize("module", modules())
def test_imports_point_downwards(module: str) -> None:
    """A part may see itself and what lies below it; two parts of one height do not see another."""
    here = part_of(module)
    against = {
        name
        for name in ours(modules()[module])
        if part_of(name) != here and HEIGHTS[part_of(name)] >= HEIGHTS[here]
    }
    assert not against


def test_no_module_imports_itself_by_way_of_others() -> None:
    graph = {name: ours(path) - {name} for name, path in modules().items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


@pytest.mark.parametrize("path", FUNCTIONS, ids=lambda path: path.parent.name)
def test_a_handler_imports_only_the_shared_package(path: Path) -> None:
    """And mangum, the adapter between a Lambda event and the ASGI application."""
    allowed = {"assistants", "aws_lambda_powertools", "collections", "json", "mangum", "typing"}
    assert {name.split(".")[0] for name in imported(path)} <= allowed


def test_every_function_has_a_handler_that_says_what_it_is() -> None:
    assert len(FUNCTIONS) >= 5
    assert all(ast.get_docstring(ast.parse(path.read_text())) for path in FUNCTIONS)


def test_files_are_small() -> None:
    lines = {relative(path): len(path.read_text().splitlines()) for path in PRODUCT}
    assert not {path: count for path, count in lines.items() if count > MAX_FILE_LINES}


def test_functions_are_short() -> None:
    lines = {
        f"{relative(path)}: {node.name}": (node.end_lineno or 0) - node.lineno + 1
        for path in PRODUCT
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert not {function: count for function, count in lines.items() if count > MAX_FUNCTION_LINES}


def test_names_tell_something() -> None:
    names = {relative(path): {*path.parent.relative_to(ROOT).parts, path.stem} for path in PRODUCT}
    assert not [path for path, parts in names.items() if parts & VAGUE]


@pytest.mark.parametrize("module", modules())
def test_a_module_begins_with_what_it_is(module: str) -> None:
    assert ast.get_docstring(ast.parse(modules()[module].read_text()))


def test_only_the_composition_roots_see_adapters() -> None:
    seen_by = {
        module
        for module, path in modules().items()
        if part_of(module) != "adapters" and any(part_of(name) == "adapters" for name in ours(path))
    }
    assert seen_by == {"assistants.bootstrap", "assistants.cli"}
