"""Tables (.csv, .tsv, .xlsx): each row as `header: value` lines, which explain themselves."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest
from pathlib import Path

from assistants.documents import plain
from assistants.documents.ooxml import Package
from assistants.documents.text import TextWriter
from assistants.domain.retrieval.document_text import DocumentError

MAX_COLUMNS = 1_000
MAX_ROWS = 1_000_000
MAX_CELL = 100_000  # characters


def read_csv(path: Path, writer: TextWriter) -> None:
    text = plain.decoded(path)
    csv.field_size_limit(MAX_CELL)
    try:
        dialect: csv.Dialect | type[csv.Dialect] = csv.Sniffer().sniff(text[:10_000], ",;\t|")
    except csv.Error:
        dialect = csv.excel_tab if path.suffix.lower() == ".tsv" else csv.excel
    try:
        _write_rows(csv.reader(io.StringIO(text), dialect), writer)
    except csv.Error as error:
        raise DocumentError("invalid_file", f"The table cannot be read: {error}.") from error


def read_xlsx(path: Path, writer: TextWriter) -> None:
    import openpyxl  # here: csv needs none of it

    Package(path)  # for its limits
    with path.open("rb") as stream:
        workbook = openpyxl.load_workbook(stream, read_only=True, data_only=True, keep_links=False)
        for sheet in workbook.worksheets:
            writer.heading(1, sheet.title)
            writer.add(f"{sheet.title}\n\n")
            sheet.reset_dimensions()  # a file may declare millions of empty rows
            rows = sheet.iter_rows(values_only=True)
            _write_rows(([_shown(cell) for cell in row] for row in rows), writer)


def _write_rows(rows: Iterable[Sequence[str]], writer: TextWriter) -> None:
    filled = _filled(rows)
    header = [cell.strip() for cell in next(filled, ())]
    writer.add(", ".join(filter(None, header)) + "\n\n")
    for row in filled:
        cells = zip_longest(header, (cell.strip() for cell in row), fillvalue="")
        lines = (f"{name}: {cell}" if name else cell for name, cell in cells if cell)
        writer.add("\n".join(lines) + "\n\n")


def _filled(rows: Iterable[Sequence[str]]) -> Iterator[Sequence[str]]:
    """Yield the rows that are not empty. Raises `DocumentError` above the limits."""
    filled = (row for row in rows if any(row))
    for number, row in enumerate(filled):
        if number == MAX_ROWS or sum(map(bool, row)) > MAX_COLUMNS:
            raise DocumentError(
                "invalid_file",
                f"The table has more than {MAX_ROWS:,} rows or {MAX_COLUMNS:,} columns.",
            )
        yield row


def _shown(cell: object) -> str:
    return "" if cell is None else str(cell)
