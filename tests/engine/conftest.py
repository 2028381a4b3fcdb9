"""How thorough the tests of the engine are, and the table of deaths that they print."""

from collections.abc import Iterable

import pytest
from hypothesis import settings

settings.register_profile("long", max_examples=20_000)  # for `make test-engine`


class Table:
    """Rows that are printed under the tests' results."""

    def __init__(self, *head: str) -> None:
        self._rows: list[tuple[object, ...]] = [head]

    def add(self, *row: object) -> None:
        self._rows.append(row)

    def lines(self) -> Iterable[str]:
        cells = [[str(cell) for cell in row] for row in self._rows]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        return ("  ".join(map(str.ljust, row, widths)).rstrip() for row in cells)

    def __bool__(self) -> bool:
        return len(self._rows) > 1


_deaths = Table("what", "point of death", "the run", "took", "sweeps", "requests sent again")


@pytest.fixture(scope="session")
def death_table() -> Table:
    return _deaths


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if _deaths:
        terminalreporter.section("how runs ended")
        for line in _deaths.lines():
            terminalreporter.line(line)
