"""Files of the sandbox that have no name any more but still take space: open or mapped ones."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from . import processes

_BLOCK_BYTES = 512  # the unit of st_blocks
_DELETED = "(deleted)"

File = tuple[int, int]  # device and inode


def bytes_used() -> int | None:
    """Return the bytes of all such files, None if the daemon may not inspect processes."""
    sizes: dict[File, int] = {}
    try:
        for pid in processes.descendants():
            process = Path(f"/proc/{pid}")
            with suppress(FileNotFoundError, ProcessLookupError):
                for file, size in (*_open(process), *_mapped(process)):
                    sizes[file] = max(size, sizes.get(file, 0))
    except PermissionError:
        return None
    return sum(sizes.values())


def _open(process: Path) -> Iterator[tuple[File, int]]:
    for descriptor in (process / "fd").iterdir():
        with suppress(FileNotFoundError):
            status = descriptor.stat()
            if stat.S_ISREG(status.st_mode) and status.st_nlink == 0:
                yield (status.st_dev, status.st_ino), status.st_blocks * _BLOCK_BYTES


def _mapped(process: Path) -> Iterator[tuple[File, int]]:
    for line in (process / "maps").read_text(errors="replace").splitlines():
        # Below /dev is memory: shared mappings and /dev/shm.
        if line.endswith(_DELETED) and " /dev/" not in line:
            addresses, _, _, device, inode = line.split()[:5]
            start, end = (int(address, 16) for address in addresses.split("-"))
            major, minor = (int(part, 16) for part in device.split(":"))
            yield (os.makedev(major, minor), int(inode)), end - start
