"""Workbooks (.xlsx): each sheet is a section, its rows as those of any table."""

from typing import BinaryIO

import openpyxl

from assistants.documents.ooxml import Package
from assistants.documents.tables import write_rows
from assistants.documents.text import TextWriter


def read(file: BinaryIO, writer: TextWriter) -> None:
    Package(file)  # for its limits
    workbook = openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False)
    for sheet in workbook.worksheets:
        writer.heading(1, sheet.title)
        writer.add(f"{sheet.title}\n\n")
        sheet.reset_dimensions()  # a file may declare millions of empty rows
        rows = sheet.iter_rows(values_only=True)
        write_rows(([_shown(cell) for cell in row] for row in rows), writer)


def _shown(cell: object) -> str:
    return "" if cell is None else str(cell)
