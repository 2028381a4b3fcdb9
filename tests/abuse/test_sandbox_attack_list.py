"""The abuse list is complete: no number is without a test."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from tests.abuse.attacks import NUMBERS


def numbers(module: ModuleType) -> Iterator[int]:
    for name, test in vars(module).items():
        if name.startswith("test_"):
            for mark in getattr(test, "pytestmark", []):
                yield from of_mark(mark)


def of_mark(mark: Any) -> Iterator[int]:
    if mark.name == "abuse":
        yield mark.args[0]
    elif mark.name == "parametrize":
        for row in mark.args[1]:
            yield from (inner.args[0] for inner in getattr(row, "marks", ()))


def test_every_number_of_the_list_has_a_test() -> None:
    files = sorted(Path(__file__).parent.glob("test_sandbox_*.py"))
    modules = [importlib.import_module(f"tests.abuse.{file.stem}") for file in files]
    tested = {number for module in modules for number in numbers(module)}
    tested |= {mark.args[0] for module in modules for mark in marks_of(module)}
    assert tested == set(NUMBERS)


def marks_of(module: ModuleType) -> list[Any]:
    mark = getattr(module, "pytestmark", None)
    return [mark] if mark else []
