"""The child processes of the local stack, none of which outlives it."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path


class Processes:
    """Start child processes, each the leader of its own group and registered with the reaper."""

    def __init__(self) -> None:
        reaper = Path(__file__).with_name("reaper.py")
        self._reaper = subprocess.Popen(  # noqa: S603
            [sys.executable, "-I", "-S", str(reaper)],
            stdin=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C in a terminal must not reach it
        )
        self._lock = threading.Lock()

    def start(
        self, command: Sequence[str], environment: Mapping[str, str], folder: Path, log: Path
    ) -> subprocess.Popen[bytes]:
        """Start `command` in `folder`, and append its output to the file `log`."""
        with log.open("ab") as output:
            process = subprocess.Popen(  # noqa: S603
                command,
                env=dict(environment),
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self._report(f"+{process.pid}")
        return process

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """Kill the process and everything in its group."""
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)

    def ended(self, process: subprocess.Popen[bytes]) -> None:
        """Forget a process that has ended."""
        self._report(f"-{process.pid}")

    def close(self) -> None:
        """Stop the reaper, which kills the processes that are left."""
        self._reaper.communicate()

    def _report(self, line: str) -> None:
        pipe = self._reaper.stdin
        assert pipe  # noqa: S101  it was opened as a pipe
        with self._lock:
            if not pipe.closed:
                pipe.write(line.encode() + b"\n")
                pipe.flush()
