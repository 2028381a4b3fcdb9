"""Tables (.csv, .tsv): each row as `header: value` lines, which explain themselves."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest
from typing import BinaryIO

from assistants.documents import plain
from assistants.documents.text import TextWriter
from assistants.domain.retrieval.document_text import DocumentError

MAX_COLUMNS = 1_000
MAX_ROWS = 1_000_000
MAX_CELL = 100_000  # characters


def read_csv(file: BinaryIO, writer: TextWriter) -> None:
    _read(file, writer, csv.excel)


def read_tsv(file: BinaryIO, writer: TextWriter) -> None:
    _read(file, writer, csv.excel_tab)


def _read(file: BinaryIO, writer: TextWriter, usual: type[csv.Dialect]) -> None:
    text = plain.decoded(file)
    csv.field_size_limit(MAX_CELL)
    try:
        dialect: csv.Dialect | type[csv.Dialect] = csv.Sniffer().sniff(text[:10_000], ",;\t|")
    except csv.Error:
        dialect = usual
    try:
        write_rows(csv.reader(io.StringIO(text), dialect), writer)
    except csv.Error as error:
        raise DocumentError("invalid_file", f"The table cannot be read: {error}.") from error


def write_rows(rows: Iterable[Sequence[str]], writer: TextWriter) -> None:
    """Add each row under the names of the first one."""
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
