"""The directories of a session, by the daemon's names and by the code's."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .identity import Identity

DATA = Path("/mnt/data")
SCRATCH = Path("/tmp")  # noqa: S108  (the sandbox's own, by mount)
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108  (the sandbox's own, by mount)


@dataclass(frozen=True)
class Workspace:
    """`data` holds the user's files, `scratch` all else that the code may write.

    They are /mnt/data and /tmp, unless neither an image nor a mount namespace makes them so: then
    the name /mnt/data is translated in code and in its output. `shared_memory` says whether
    /dev/shm is the session's own, too.
    """

    data: Path
    scratch: Path
    shared_memory: bool

    @property
    def home(self) -> Path:
        """Return the code's HOME, outside the data, where caches would count as new files."""
        return self.scratch / "home"

    @property
    def writable(self) -> tuple[str, ...]:
        """Return the directories that the code may write."""
        directories = (self.data, self.scratch, *([SHARED_MEMORY] * self.shared_memory))
        return tuple(str(directory) for directory in directories)

    def inward(self, code: str) -> str:
        """Return code in which /mnt/data is replaced by the real directory."""
        return code.replace(str(DATA), str(self.data)) if self.data != DATA else code

    def outward(self, printed: str) -> str:
        """Return output in which the real directory is replaced by /mnt/data."""
        return printed.replace(str(self.data), str(DATA)) if self.data != DATA else printed

    def prepare(self, identity: Identity) -> None:
        """Make the directories the sandbox user's own, and /dev/shm empty."""
        identity.own(self.data)
        identity.own(self.scratch)
        with identity.assumed():
            self.home.mkdir(exist_ok=True)
        if self.shared_memory:
            self._clear_shared_memory(identity)

    def _clear_shared_memory(self, identity: Identity) -> None:
        """Free what an earlier kernel left: it is memory, and outlives its processes."""
        with identity.assumed(), os.scandir(SHARED_MEMORY) as entries:
            for entry in entries:
                with suppress(OSError):
                    Path(entry).unlink()

    def empty(self, identity: Identity) -> None:
        """Delete all files of the session; the directories themselves are the launcher's."""
        rights: dict[str, Any] = {}
        if identity.uid is not None:
            rights = {"user": identity.uid, "group": identity.uid, "extra_groups": []}
        directories = [str(self.data), str(self.scratch)]
        # The code may have locked a directory away, even from itself.
        unlock = ["chmod", "-Rf", "u+rwX", *directories]
        # Not shutil: hostile trees are deeper than Python recurses.
        delete = ["find", *directories, "-mindepth", "1", "-delete"]
        for command in (unlock, delete):
            subprocess.run(command, check=False, stderr=subprocess.DEVNULL, **rights)  # noqa: S603

    def environment(self, python: str) -> Mapping[str, str]:
        """Return the whole environment of a kernel, with nothing of the daemon's in it."""
        home = str(self.home)
        return {
            "HOME": home,
            "IPYTHONDIR": f"{home}/.ipython",
            "LANG": "C.UTF-8",
            "LOGNAME": "sandbox",
            "MPLBACKEND": "module://matplotlib_inline.backend_inline",
            "MPLCONFIGDIR": f"{home}/.matplotlib",
            "OMP_NUM_THREADS": "2",
            "OPENBLAS_NUM_THREADS": "2",
            "PATH": f"{Path(python).parent}:/usr/bin:/bin",
            # There is no network: pip should say so at once.
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "PIP_NO_INPUT": "1",
            "PIP_RETRIES": "0",
            "PYTHONDONTWRITEBYTECODE": "1",
            # The output of Python and of its commands comes in the order in which they print it.
            "PYTHONUNBUFFERED": "1",
            "TMPDIR": str(self.scratch),
            "USER": "sandbox",
        }
