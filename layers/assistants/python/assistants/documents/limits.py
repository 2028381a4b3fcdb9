"""The resource limits of a process that parses an untrusted file."""

import resource
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """The parent enforces `wall_seconds`, the kernel the other limits."""

    memory_bytes: int = 1536 * 2**20
    cpu_seconds: int = 60
    wall_seconds: int = 120

    def apply(self) -> None:
        """Put this process under them, for good.

        It keeps what is open, and opens nothing more: no file, no socket. It starts no thread and
        no process, and writes to no file.
        """
        # At the soft CPU limit the kernel sends SIGXCPU, which says what happened; then SIGKILL.
        resource.setrlimit(resource.RLIMIT_CPU, (self.cpu_seconds, self.cpu_seconds + 5))
        for kind, most in (
            (resource.RLIMIT_AS, self.memory_bytes),
            (resource.RLIMIT_FSIZE, 0),
            (resource.RLIMIT_CORE, 0),
            (resource.RLIMIT_NOFILE, 0),
            (resource.RLIMIT_NPROC, 0),
        ):
            resource.setrlimit(kind, (most, most))
