"""The table below the tests' results that says how runs ended."""

from collections.abc import Iterable


class Report:
    """Rows under a heading, in columns."""

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
