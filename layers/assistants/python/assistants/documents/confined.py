"""Parsing in a child process with hard limits, so that a hostile file can only end that process.

A crafted file can make a parser in C abort, loop forever or allocate all memory.
"""

import json
import os
import select
import signal
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from assistants.documents.formats import require_supported
from assistants.documents.limits import Limits
from assistants.domain.retrieval.document_text import (
    DocumentError,
    ExtractedText,
    ExtractionFailure,
)
from assistants.ports.parsing import MAX_ANSWER, decoded, encoded

MAX_FILE = 512 * 2**20

# The child's first line, once its limits apply; the second if there is no system call filter.
READY, UNFILTERED = b"ready", b"ready unfiltered"

# The only variables that the child inherits: no credentials, no endpoints, no names.
INHERITED = ("PATH", "LD_LIBRARY_PATH")


@dataclass(frozen=True, slots=True)
class Reading:
    """The encoded answer of a child, and whether the filter of system calls held that child."""

    filtered: bool
    answer: bytes


def parse(path: Path, filename: str, limits: Limits | None = None) -> ExtractedText:
    """Return the text of the file at `path`, whose kind follows from `filename`.

    Raises `DocumentError`.
    """
    return decoded(read(path, filename, limits).answer)


def read(path: Path, filename: str, limits: Limits | None = None) -> Reading:
    """Let a child read the file at `path`. Its answer is what the file made of it: not trusted.

    Raises `DocumentError` for a file that no child is given.
    """
    require_supported(filename)
    if path.stat().st_size > MAX_FILE:
        raise DocumentError("invalid_file", "The file is larger than 512 MB.")
    limits = limits or Limits()
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb") as output:
        with path.open("rb") as file, os.fdopen(writer, "wb") as end:
            child = _start(file, filename, limits, end)
        try:
            printed = _read(output, time.monotonic() + limits.wall_seconds)
        finally:
            os.killpg(child.pid, signal.SIGKILL)  # not reaped yet, so the group id is still its own
            child.wait()
    return _reading(printed)


def _start(
    file: IO[bytes], filename: str, limits: Limits, output: IO[bytes]
) -> subprocess.Popen[bytes]:
    request = {"filename": filename, "limits": asdict(limits)}
    environment = {name: os.environ[name] for name in INHERITED if name in os.environ}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
    environment["OPENBLAS_NUM_THREADS"] = "1"  # openpyxl loads numpy if it is there; no thread may
    return subprocess.Popen(  # noqa: S603 - our own interpreter and module
        [sys.executable, "-P", "-S", "-m", "assistants.documents.child", json.dumps(request)],
        stdin=file,
        stdout=output,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        cwd="/",
        env=environment,
    )


def _read(stream: IO[bytes], until: float) -> bytes:
    """Read the child's output, until it closes it, runs late, or prints too much."""
    output = bytearray()
    while len(output) <= MAX_ANSWER:
        ready, _, _ = select.select([stream], [], [], max(0, until - time.monotonic()))
        part = os.read(stream.fileno(), 2**20) if ready else b""
        if not part:
            break
        output += part
    return bytes(output)


def _reading(output: bytes) -> Reading:
    said, _, answer = output.partition(b"\n")
    if said not in (READY, UNFILTERED):
        failure = ExtractionFailure("server_error", "The service could not start to read the file.")
        return Reading(filtered=False, answer=encoded(failure))
    return Reading(said == READY, answer)
