"""The user that the sandboxed code runs as, and the daemon's access to files as that user."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from . import linux


@dataclass(frozen=True)
class Identity:
    """The sandbox's user; `uid` is None if it is the daemon's own, because that is not root."""

    uid: int | None

    @contextmanager
    def assumed(self) -> Iterator[None]:
        """Use the file system as this user, in the calling thread only.

        Root must not follow the links of hostile code, and without CAP_DAC_OVERRIDE could
        not enter its directories.
        """
        if self.uid is None:
            yield
            return
        linux.set_file_identity(self.uid, self.uid)
        try:
            yield
        finally:
            linux.set_file_identity(0, 0)

    def own(self, directory: Path) -> None:
        """Give a directory to this user and to nobody else."""
        directory.mkdir(parents=True, exist_ok=True)
        if self.uid is None or directory.stat().st_uid == self.uid:
            return
        # In this order root needs no CAP_FOWNER.
        directory.chmod(0o700)
        os.chown(directory, self.uid, self.uid)
