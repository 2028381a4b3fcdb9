"""A bounded scan of a directory tree: its regular files and the space that they take."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

MAX_ENTRIES = 20_000
_BLOCK_BYTES = 512  # the unit of st_blocks

Signature = tuple[int, int, int, int]


def signature(status: os.stat_result) -> Signature:
    """Return what changes with a file: inode, size, times of its contents and of its status."""
    return (status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


@dataclass
class Tree:
    """The regular files below a directory, and the bytes that all of them occupy.

    It is not `whole` if there may be more: beyond the limit of entries, in a directory that the
    code has closed to itself, or deeper than a path can name.
    """

    files: dict[str, Signature] = field(default_factory=dict)
    bytes_used: int = 0
    entries: int = 0
    whole: bool = True


def scan(root: Path) -> Tree:
    """Scan at most MAX_ENTRIES entries, following no link."""
    tree = Tree()
    waiting = [""]
    while waiting and tree.entries < MAX_ENTRIES:
        directory = waiting.pop()
        try:
            with os.scandir(root / directory) as entries:
                for entry in islice(entries, MAX_ENTRIES - tree.entries):
                    _look(entry, directory, tree, waiting)
        except OSError:
            tree.whole = False
    tree.whole = tree.whole and tree.entries < MAX_ENTRIES
    return tree


def _look(entry: os.DirEntry[str], directory: str, tree: Tree, waiting: list[str]) -> None:
    tree.entries += 1
    name = f"{directory}/{entry.name}" if directory else entry.name
    try:
        status = entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return  # gone this moment; the others are still there
    if stat.S_ISDIR(status.st_mode):
        waiting.append(name)
    elif stat.S_ISREG(status.st_mode):
        tree.files[name] = signature(status)
        tree.bytes_used += status.st_blocks * _BLOCK_BYTES
