"""The measurements as tables for the terminal."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Row = Sequence[object]


def render(measured: Mapping[str, Any]) -> str:
    """Render all tables of one benchmark, in the order of its JSON."""
    tables = [
        table("AWS calls of a route", ("route", "calls"), _calls(measured["routes"])),
        table("A run", ("run", "states", "calls"), _runs(measured["runs"])),
        table("Import", ("function", "ms"), measured["import_ms"].items()),
        table("Bundle, unzipped", ("function", "MB"), measured["bundle_mb"].items()),
        table(
            "Time, local stack, model without delay",
            ("at once", "what", "p50 ms", "p95 ms", "conversations/s"),
            _times(measured["load"]),
        ),
    ]
    return "\n".join(tables)


def _calls(routes: Mapping[str, Mapping[str, int]]) -> Iterable[Row]:
    for route, calls in routes.items():
        yield route, ", ".join(f"{count} {call}" for call, count in calls.items())


def _runs(runs: Mapping[str, Any]) -> Iterable[Row]:
    for name, run in runs.items():
        yield (
            name,
            len(run["states"]),
            f"{sum(run['calls'].values())} in {' > '.join(run['states'])}",
        )
        for call, count in run["calls"].items():
            yield "", "", f"{count} {call}"


def _times(load: Iterable[Mapping[str, Any]]) -> Iterable[Row]:
    for result in load:
        rate = result["per_second"]
        for name, ms in result["ms"].items():
            yield result["concurrency"], name, ms["p50"], ms["p95"], rate
            rate = ""


def table(title: str, head: Row, rows: Iterable[Row]) -> str:
    """Render one table under its title."""
    cells = [[str(cell) for cell in row] for row in (head, *rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in cells]
    return "\n".join(["", title, "-" * len(title), *lines])
