"""A bounded look at a directory tree: its regular files and the room they take."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from .names import MAX_DEPTH

MAX_ENTRIES = 20_000
_BLOCK_BYTES = 512  # the unit of st_blocks

Signature = tuple[int, int, int, int]


def signature(status: os.stat_result) -> Signature:
    """Return what changes when a file does: inode, size, times of contents and of itself."""
    return (status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


@dataclass
class Tree:
    """The regular files below a directory, and the bytes that all of them occupy."""

    files: dict[str, Signature] = field(default_factory=dict)
    bytes_used: int = 0
    entries: int = 0


def scan(root: Path) -> Tree:
    """Look at no more than MAX_ENTRIES entries, MAX_DEPTH deep, following no link."""
    tree = Tree()
    waiting = [""]
    while waiting and tree.entries < MAX_ENTRIES:
        directory = waiting.pop()
        # Gone, closed, or deeper than a path can say.
        with suppress(OSError), os.scandir(root / directory) as entries:
            for entry in entries:
                _look(entry, directory, tree, waiting)
                if tree.entries == MAX_ENTRIES:
                    break
    return tree


def _look(entry: os.DirEntry[str], directory: str, tree: Tree, waiting: list[str]) -> None:
    tree.entries += 1
    name = f"{directory}/{entry.name}" if directory else entry.name
    status = entry.stat(follow_symlinks=False)
    if stat.S_ISDIR(status.st_mode):
        if name.count("/") + 1 < MAX_DEPTH:
            waiting.append(name)
    elif stat.S_ISREG(status.st_mode):
        tree.files[name] = signature(status)
        tree.bytes_used += status.st_blocks * _BLOCK_BYTES
