"""The daemon's settings: environment variables named SANDBOX_*."""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import dataclass
from pathlib import Path

from .workspace import DATA, SCRATCH

_MEBIBYTE = 1 << 20
_PRELOAD = "import numpy, pandas, matplotlib.pyplot, matplotlib_inline.backend_inline"


@dataclass(frozen=True)
class DaemonSettings:
    """The bounds of one session; the variable of each member is SANDBOX_<its name>."""

    token_sha256: str  # hexadecimal; the token itself never reaches the task
    host: str
    port: int  # 0: any free one
    work: Path  # the data directory as the daemon sees it
    scratch: Path
    uid: int | None  # whose rights the code has; None: the daemon's own, which is not root
    memory_bytes: int  # SANDBOX_MEMORY_MB
    disk_bytes: int  # SANDBOX_DISK_MB
    file_bytes: int  # SANDBOX_FILE_MB: the largest file that the code can write
    processes: int
    ttl_seconds: float
    idle_seconds: float
    grace_seconds: float  # between an interrupt and the kill of code that goes on
    preload: tuple[str, ...]  # statements run at the start of each kernel, one a line
    exit_with_stdin: bool  # end when standard input does: the launcher has gone

    @classmethod
    def from_environment(cls, environment: MutableMapping[str, str]) -> DaemonSettings:
        """Read the settings, and take the token's hash out of the environment.

        Raises KeyError without SANDBOX_TOKEN_SHA256, and ValueError for an invalid number.
        """

        def value(name: str, default: object) -> str:
            return environment.get(f"SANDBOX_{name}", str(default))

        uid = value("UID", "")
        return cls(
            token_sha256=environment.pop("SANDBOX_TOKEN_SHA256"),
            host=value("HOST", "127.0.0.1"),
            port=int(value("PORT", 8080)),
            work=Path(value("WORK", DATA)),
            scratch=Path(value("SCRATCH", SCRATCH)),
            uid=int(uid) if uid else None,
            memory_bytes=int(value("MEMORY_MB", 1024)) * _MEBIBYTE,
            disk_bytes=int(value("DISK_MB", 4096)) * _MEBIBYTE,
            file_bytes=int(value("FILE_MB", 1024)) * _MEBIBYTE,
            processes=int(value("PROCESSES", 256)),
            ttl_seconds=float(value("TTL_SECONDS", 3600)),
            idle_seconds=float(value("IDLE_SECONDS", 1200)),
            grace_seconds=float(value("GRACE_SECONDS", 3)),
            preload=tuple(filter(None, value("PRELOAD", _PRELOAD).splitlines())),
            exit_with_stdin=value("EXIT_WITH_STDIN", "") == "1",
        )
