"""Which module imports which, read from the sources without importing them."""

import ast
from collections.abc import Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path


def find_modules(root: Path, folder: str = "") -> dict[str, Path]:
    """Return the file of each module below `root/folder`, by its name as imported from `root`."""
    return {_name(path.relative_to(root)): path for path in sorted((root / folder).rglob("*.py"))}


def import_graph(modules: Mapping[str, Path]) -> dict[str, set[str]]:
    """Return the modules among `modules` that each of them imports."""
    return {
        module: set(_known(imported_names(module, path), modules))
        for module, path in modules.items()
    }


def imported_names(module: str, path: Path) -> Iterator[str]:
    """Yield the full name of everything that a module imports.

    Imports inside functions and under TYPE_CHECKING count like those at the top.
    """
    package = module if path.stem == "__init__" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            origin = _absolute(node, package)
            yield from (f"{origin}.{alias.name}" for alias in node.names)


def find_circle(graph: Mapping[str, Iterable[str]]) -> list[str]:
    """Return the modules of a circle, each importing the next; empty if there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(reversed(error.args[1]))
    return []


def _name(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _absolute(node: ast.ImportFrom, package: str) -> str:
    """Return the name of the module that `node` imports from."""
    if not node.level:
        return str(node.module)
    parts = package.split(".")
    above = parts[: len(parts) - node.level + 1]
    return ".".join([*above, node.module] if node.module else above)


def _known(names: Iterable[str], modules: Mapping[str, Path]) -> Iterator[str]:
    """Yield the module that each name is, or else is defined in."""
    for name in names:
        for module in (name, name.rpartition(".")[0]):
            if module in modules:
                yield module
                break
