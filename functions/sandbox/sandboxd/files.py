"""The session's data directory: uploads, downloads, and the files that the code has changed.

Its contents are hostile. Every path is walked component by component without following links, with
the sandbox's own rights; only regular files without a second name come out.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from . import names
from .identity import Identity
from .tree import Signature, scan, signature

MAX_FILE_BYTES = 512 << 20
MAX_REPORTED = 100
_HASH_BUDGET_BYTES = 1 << 30
_CHUNK_BYTES = 1 << 20
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC

Read = Callable[[int], bytes]


class NotARegularFileError(OSError):
    """Raised when a name is not that of a file that may leave the sandbox."""


class ShortBodyError(OSError):
    """Raised when an upload ends before its announced length."""


@dataclass(frozen=True)
class ChangedFile:
    """A file that the code has created or changed; `sha256` is None beyond the hashing budget."""

    path: str
    size: int
    sha256: str | None


class DataDirectory:
    """The data directory of one session."""

    def __init__(self, root: Path, identity: Identity) -> None:
        """Take over a directory that belongs to the sandbox's user."""
        self._root, self._identity = root, identity
        self._knowing = threading.Lock()
        with identity.assumed():
            self._descriptor = os.open(root, _DIRECTORY)
            self._known: dict[str, Signature] = scan(root).files

    def open(self, name: tuple[str, ...]) -> BinaryIO:
        """Open a file to read. Raises NotARegularFileError or another OSError."""
        with self._identity.assumed(), self._parent(name) as parent:
            descriptor = os.open(name[-1], _READ, dir_fd=parent)
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_nlink != 1:
            os.close(descriptor)
            raise NotARegularFileError("/".join(name))
        return os.fdopen(descriptor, "rb")

    def store(self, name: tuple[str, ...], read: Read, size: int) -> None:
        """Write `size` bytes from `read` under the name, replacing what has it, or nothing.

        Raises ShortBodyError, IsADirectoryError or another OSError.
        """
        with self._identity.assumed(), self._parent(name, make=True) as parent:
            partial = f".upload-{secrets.token_hex(8)}"
            try:
                file = os.fdopen(os.open(partial, _CREATE, 0o600, dir_fd=parent), "wb")
                with file:
                    _copy(read, file, size)
                with self._knowing:
                    os.rename(partial, name[-1], src_dir_fd=parent, dst_dir_fd=parent)
                    status = os.stat(name[-1], dir_fd=parent, follow_symlinks=False)
                    self._known["/".join(name)] = signature(status)
            except OSError:
                with suppress(FileNotFoundError):
                    os.unlink(partial, dir_fd=parent)
                raise

    def changes(self) -> tuple[list[ChangedFile], int]:
        """Return the files that are new or changed since the last call, and how many more are.

        Uploads in between are not new. Left out are names that cannot be printed, files with a
        second name and those beyond the first hundred.
        """
        with self._identity.assumed(), self._knowing:
            found = scan(self._root).files
            changed = sorted(name for name, now in found.items() if self._known.get(name) != now)
            self._known = found
        valid = [name for name in changed if names.is_valid(name)]
        budget = _HASH_BUDGET_BYTES
        reported = []
        for name in valid[:MAX_REPORTED]:
            with suppress(OSError), self.open(names.parts(name)) as file:
                described = _describe(name, file, budget)
                budget -= described.size if described.sha256 else 0
                reported.append(described)
        return reported, len(changed) - len(reported)

    @contextmanager
    def _parent(self, name: tuple[str, ...], *, make: bool = False) -> Iterator[int]:
        """Yield a descriptor of the directory that holds the name."""
        current = os.dup(self._descriptor)
        try:
            for component in name[:-1]:
                if make:
                    with suppress(FileExistsError):
                        os.mkdir(component, 0o700, dir_fd=current)
                below = os.open(component, _DIRECTORY, dir_fd=current)
                os.close(current)
                current = below
            yield current
        finally:
            os.close(current)


def _copy(read: Read, file: BinaryIO, size: int) -> None:
    while size:
        part = read(min(size, _CHUNK_BYTES))
        if not part:
            raise ShortBodyError("the body is shorter than its length")
        file.write(part)
        size -= len(part)


def _describe(name: str, file: BinaryIO, budget: int) -> ChangedFile:
    size = os.fstat(file.fileno()).st_size
    if size > budget:
        return ChangedFile(name, size, None)
    digest = hashlib.sha256()
    rest = size
    while rest and (part := file.read(min(rest, _CHUNK_BYTES))):
        digest.update(part)
        rest -= len(part)
    return ChangedFile(name, size, digest.hexdigest())
