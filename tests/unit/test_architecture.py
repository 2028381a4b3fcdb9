"""The shape of the code: which way imports point, how large a file or a function may be, names."""

import ast
import re
import shutil
from collections import defaultdict
from itertools import pairwise
from pathlib import Path

import pytest

from tests.support.import_graph import find_circle, find_modules, import_graph, imported_names

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
    "states": 6,
}
# The folders of services/, lowest first: each may see itself and those on lower steps.
LADDER = (
    {"ports"},
    {"storage"},
    {"api_keys", "files"},
    {"vector_stores"},
    {"tools"},
    {"threads"},
    {"assistants", "runs"},
    {"turns", "maintenance"},
    {"backend"},
)
FUNCTIONS = sorted((ROOT / "functions").glob("*/handler.py"))
PRODUCT = sorted(
    path
    for folder in ("docs", "layers", "functions", "infra")
    for path in (ROOT / folder).rglob("*.py")
)
TESTS = find_modules(ROOT, "tests")
MODULES = find_modules(PACKAGE.parent)
IMPORTS = import_graph(MODULES)
VAGUE = frozenset({"utils", "util", "helpers", "helper", "common", "manager", "managers", "misc"})
NOT_VERBS = re.compile(
    r"(A|An|Above|As|At|Each|Every|For|If|In|Its?|No|One|Raises|Text|Th\w+|To|Two|Wh\w+|With\w*)\b"
)
MAX_FILE_LINES = 250
MAX_FUNCTION_LINES = 30


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


def part_of(module: str) -> str:
    """Return `services` of `assistants.services.runs.service`; `` for the package itself."""
    return module.partition(".")[2].partition(".")[0]


def test_every_part_of_the_package_has_a_height() -> None:
    assert {part_of(module) for module in MODULES} == set(HEIGHTS)


@pytest.mark.parametrize("module", MODULES)
def test_imports_point_downwards(module: str) -> None:
    """A part may see itself and what lies below it; parts of one height do not see each other."""
    here = part_of(module)
    against = {
        name
        for name in IMPORTS[module]
        if part_of(name) != here and HEIGHTS[part_of(name)] >= HEIGHTS[here]
    }
    assert not against


def step_of(module: str) -> int | None:
    """Return the step of the ladder of a module of `services`."""
    part, _, rest = module.removeprefix("assistants.").partition(".")
    folder = rest.partition(".")[0]
    steps = [step for step, folders in enumerate(LADDER) if folder in folders]
    return steps[0] if part == "services" and steps else None


def test_every_folder_of_services_is_on_the_ladder() -> None:
    folders = {path.stem for path in (PACKAGE / "services").iterdir()} - {"__init__", "__pycache__"}
    assert folders == set().union(*LADDER)


@pytest.mark.parametrize("module", [name for name in MODULES if step_of(name) is not None])
def test_the_folders_of_services_form_a_ladder(module: str) -> None:
    folder = module.split(".")[2]
    others = [name for name in IMPORTS[module] if step_of(name) is not None]
    above = {
        name
        for name in others
        if name.split(".")[2] != folder and (step_of(name) or 0) >= (step_of(module) or 0)
    }
    assert not above


def test_no_module_imports_itself_by_way_of_others() -> None:
    everywhere = find_modules(ROOT, "infra") | find_modules(ROOT, "functions")
    streaming = find_modules(ROOT / "layers/streaming")
    assert not find_circle(import_graph(MODULES | everywhere | streaming))


@pytest.mark.parametrize(
    "planted",
    [
        "from infra.app import synthesize",
        "def late() -> None:\n    from infra.app import synthesize",
        "if TYPE_CHECKING:\n    import infra.app",
        "from .app import synthesize",
    ],
)
def test_a_circle_planted_in_infra_is_found(planted: str, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "infra", tmp_path / "infra")
    assert not find_circle(import_graph(find_modules(tmp_path)))
    with (tmp_path / "infra/options.py").open("a") as options:
        options.write(f"\n\n{planted}\n")
    circle = find_circle(import_graph(find_modules(tmp_path)))
    assert circle[0] == circle[-1]
    assert ("infra.options", "infra.app") in pairwise(circle)


def test_only_the_sandbox_which_runs_by_itself_imports_relatively() -> None:
    relatively = {
        path.parent
        for path in PRODUCT
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and node.level
    }
    assert relatively == {ROOT / "functions/sandbox/sandboxd"}


@pytest.mark.parametrize("path", FUNCTIONS, ids=lambda path: path.parent.name)
def test_a_handler_imports_only_the_shared_package(path: Path) -> None:
    """And mangum, the adapter between a Lambda event and the ASGI application."""
    allowed = {"assistants", "aws_lambda_powertools", "collections", "json", "mangum", "typing"}
    assert {name.split(".")[0] for name in imported_names("handler", path)} <= allowed


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


def test_no_name_is_vague() -> None:
    names = {relative(path): {*path.parent.relative_to(ROOT).parts, path.stem} for path in PRODUCT}
    assert not [path for path, parts in names.items() if parts & VAGUE]


def test_no_two_classes_share_a_name() -> None:
    """So that a name in a search or a traceback means one thing. Names of a module's own, which
    begin with an underscore, are not searched for.
    """
    places = defaultdict(list)
    for path in PRODUCT:
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(relative(path))
    assert not {name: paths for name, paths in places.items() if len(paths) > 1}


def test_a_docstring_of_a_function_begins_with_a_verb() -> None:
    """In the imperative: these words begin a noun, a clause or a sentence about something else."""
    found = {
        f"{relative(path)}: {node.name}": docstring
        for path in PRODUCT
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if (docstring := ast.get_docstring(node)) and NOT_VERBS.match(docstring)
    }
    assert not found


def test_a_docstring_of_an_exception_says_when_it_is_raised() -> None:
    docstrings = {
        f"{relative(path)}: {node.name}": ast.get_docstring(node) or ""
        for path in PRODUCT
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef)
        if any(ast.unparse(base).endswith(("Error", "Exception")) for base in node.bases)
    }
    assert len(docstrings) > 40
    assert not [name for name, text in docstrings.items() if not text.startswith("Raised ")]


@pytest.mark.parametrize("module", MODULES)
def test_a_module_begins_with_what_it_is(module: str) -> None:
    assert ast.get_docstring(ast.parse(MODULES[module].read_text()))


def test_only_the_composition_roots_see_adapters() -> None:
    seen_by = {
        module
        for module, names in IMPORTS.items()
        if part_of(module) != "adapters" and any(part_of(name) == "adapters" for name in names)
    }
    assert {name.removeprefix("assistants.").partition(".")[0] for name in seen_by} == {
        "bootstrap",
        "cli",
    }


def test_no_test_module_imports_another() -> None:
    """Nor a conftest nor a benchmark: what several need is a module of its own."""
    found = {module: private_to_tests(module, path) for module, path in TESTS.items()}
    assert not {module: names for module, names in found.items() if names}


def private_to_tests(module: str, path: Path) -> set[str]:
    """Return the names that a module below `tests` imports, and should not."""
    benchmarks = set() if ".benchmarks." in module else {"benchmarks"}
    return {
        name
        for name in imported_names(module, path)
        for part in name.split(".")
        if name.startswith("tests.")
        if part.startswith("test_") or part in {"conftest"} | benchmarks
    }
