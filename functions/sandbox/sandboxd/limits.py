"""The resource limits of every process in the sandbox."""

from __future__ import annotations

import resource

_OPEN_FILES = 512
# Kept free to report that the code's memory is full, and to run the code that frees it.
_RESERVE_BYTES = 64 << 20


def restrict(*, memory_bytes: int, processes: int, file_bytes: int) -> None:
    """Lower this process's limits irrevocably.

    `memory_bytes` bounds private memory and not the address space, which runtimes reserve in
    excess. Shared mappings and the sum of many processes escape it; the guard measures those.
    """
    bounds = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_DATA: memory_bytes + _RESERVE_BYTES,
        resource.RLIMIT_FSIZE: file_bytes,
        resource.RLIMIT_MEMLOCK: 0,
        resource.RLIMIT_NOFILE: _OPEN_FILES,
        resource.RLIMIT_NPROC: processes,
    }
    message_queues = getattr(resource, "RLIMIT_MSGQUEUE", None)
    if message_queues is not None:
        bounds[message_queues] = 0
    for limit, value in bounds.items():
        hard = resource.getrlimit(limit)[1]
        bounded = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(limit, (bounded, bounded))


def open_reserve(wanted: bool) -> None:
    """Let this process use its reserve of memory, or keep it from the code."""
    hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
    soft = hard if wanted else hard - _RESERVE_BYTES
    resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))
