"""Make file names safe and unique, so that the files can share a directory."""

from collections.abc import Sequence

_MAX_BYTES = 200


def safe(filename: str) -> str:
    """Return the last component of a path, printable and short, with its extension."""
    last = filename.replace("\\", "/").rstrip("/").rpartition("/")[2]
    printable = "".join(character if character.isprintable() else "_" for character in last)
    stem, dot, extension = printable.strip().rpartition(".")
    if not stem.strip("."):
        stem, dot, extension = printable.strip().strip(".") or "file", "", ""
    room = _MAX_BYTES - len((dot + extension).encode())
    if room < 1:
        return _cut(printable.strip(), _MAX_BYTES)
    return _cut(stem, room) + dot + extension


def distinct(names: Sequence[str]) -> list[str]:
    """Return the names, with a number added to each repeated one: `a.csv`, `a-2.csv`."""
    taken: set[str] = set()
    result = []
    for name in names:
        number, candidate = 1, name
        while candidate in taken:
            number += 1
            candidate = _numbered(name, number)
        taken.add(candidate)
        result.append(candidate)
    return result


def _numbered(name: str, number: int) -> str:
    stem, dot, extension = name.rpartition(".")
    return f"{stem}-{number}.{extension}" if dot and stem else f"{name}-{number}"


def _cut(text: str, size: int) -> str:
    """Return as much of the text as fits into `size` bytes of UTF-8."""
    return text.encode()[:size].decode(errors="ignore")
