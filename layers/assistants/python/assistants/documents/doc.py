"""Word 97-2003 documents (.doc): the text of the piece table.

After [MS-DOC], sections 2.4.1 (retrieving text), 2.5 (File Information Block) and 2.9.38 (Clx).
"""

import re
import struct
from collections.abc import Iterator
from typing import BinaryIO

import olefile

from assistants.documents.text import TextWriter
from assistants.domain.retrieval.document_text import DocumentError

MAX_STREAM = 64 * 2**20
WORD_97 = 0xA5EC
ENCRYPTED, SECOND_TABLE = 0x0100, 0x0200  # bits of the FIB's flags
CLX_LOCATION = 0x01A2  # fcClx and lcbClx in the FIB
COMPRESSED = 0x40000000  # bit of a piece: one byte a character

# A field is an instruction, a separator and the result that is shown: begin, separate, end.
FIELD_INSTRUCTION = re.compile("\x13[^\x13\x14\x15]*\x14?")
CELL_AND_ROW_END = "\x07\x07"
MARKS = str.maketrans({"\r": "\n", "\x07": "\t", "\x0b": "\n", "\x0c": "\n\n", "\x15": None})
MARKS |= str.maketrans({"\x1e": "-", "\x1f": None, "\xa0": " "})


def read(file: BinaryIO, writer: TextWriter) -> None:
    """Add the text. Raises `DocumentError` if the file is damaged, encrypted or too old.

    The oldest version that can be read is Word 97.
    """
    try:
        main, table = _streams(file)
        text = "".join(_pieces(main, table))
    except (OSError, struct.error) as error:
        raise DocumentError("invalid_file", "The file is damaged or not a .doc.") from error
    writer.add(FIELD_INSTRUCTION.sub("", text.replace(CELL_AND_ROW_END, "\x07\n")).translate(MARKS))


def _streams(file: BinaryIO) -> tuple[bytes, bytes]:
    with olefile.OleFileIO(file) as compound:
        main: bytes = compound.openstream("WordDocument").read(MAX_STREAM)
        (identifier,) = struct.unpack_from("<H", main, 0)
        (flags,) = struct.unpack_from("<H", main, 0x0A)
        if identifier != WORD_97:
            raise DocumentError("invalid_file", "The file is older than Word 97.")
        if flags & ENCRYPTED:
            raise DocumentError("invalid_file", "The file is protected by a password.")
        name = "1Table" if flags & SECOND_TABLE else "0Table"
        return main, compound.openstream(name).read(MAX_STREAM)


def _pieces(main: bytes, table: bytes) -> Iterator[str]:
    pieces = _piece_table(main, table)
    count = (len(pieces) - 4) // 12
    positions = struct.unpack_from(f"<{count + 1}I", pieces, 0)
    for number in range(count):
        length = positions[number + 1] - positions[number]
        (where,) = struct.unpack_from("<I", pieces, 4 * (count + 1) + 8 * number + 2)
        if length < 0:
            raise struct.error("pieces overlap")
        if where & COMPRESSED:
            start = (where & ~COMPRESSED) // 2
            yield main[start : start + length].decode("cp1252", "replace")
        else:
            yield main[where : where + 2 * length].decode("utf-16-le", "replace")


def _piece_table(main: bytes, table: bytes) -> bytes:
    start, length = struct.unpack_from("<II", main, CLX_LOCATION)
    clx = table[start : start + length]
    at = 0
    while clx[at : at + 1] == b"\x01":  # property changes, of no interest here
        at += 3 + struct.unpack_from("<H", clx, at + 1)[0]
    if clx[at : at + 1] != b"\x02":
        raise struct.error("no piece table")
    (size,) = struct.unpack_from("<I", clx, at + 1)
    return clx[at + 5 : at + 5 + size]
