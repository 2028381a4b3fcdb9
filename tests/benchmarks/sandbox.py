"""`python -m tests.benchmarks.sandbox`: what a code interpreter session costs on this machine.

Prints a table and writes `.cache/bench-sandbox.json`.
"""

from __future__ import annotations

import io
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from infra.local.process_sandbox import ProcessSandbox, ProcessSession
from tests.benchmarks.code_runs import code_runs, session_dollars

REPOSITORY = Path(__file__).parents[2]
DAEMON = REPOSITORY / "functions" / "sandbox"
STARTS = 7
CELLS = 500
WARM_UP = 50
FILE_BYTES = 256 << 20

_BARE = """
import json, sys, time
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config
config = Config()
config.HistoryManager.enabled = False
shell = InteractiveShell.instance(config=config)
times = []
for _ in range(int(sys.argv[1])):
    started = time.perf_counter()
    shell.run_cell("1+1")
    times.append(time.perf_counter() - started)
print(json.dumps(times), file=sys.stderr)
"""


@contextmanager
def launched(**settings: str) -> Iterator[ProcessSession]:
    """Give a session whose kernel is up."""
    session = ProcessSandbox(DAEMON, settings).launch()
    try:
        session.client().run("first", "1")
        yield session
    finally:
        session.end()


def milliseconds(seconds: list[float]) -> dict[str, float]:
    """Return p50 and p95 in milliseconds."""
    ranked = statistics.quantiles(seconds, n=100)
    return {"p50_ms": round(ranked[49] * 1000, 2), "p95_ms": round(ranked[94] * 1000, 2)}


def start(**settings: str) -> dict[str, float]:
    """Time from the launch to the end of the first execution."""
    times = []
    for _ in range(STARTS):
        started = time.perf_counter()
        with launched(**settings):
            times.append(time.perf_counter() - started)
    return {"p50_ms": round(statistics.median(times) * 1000), "max_ms": round(max(times) * 1000)}


def bare_executions() -> list[float]:
    """Time the same code in an IPython shell without daemon and confinement, output to a pipe."""
    command = [sys.executable, "-c", _BARE, str(CELLS + WARM_UP)]
    done = subprocess.run(command, capture_output=True, check=True)
    times: list[float] = json.loads(done.stderr)
    return times[WARM_UP:]


def daemon_executions(session: ProcessSession) -> list[float]:
    """Time executions from the client: HTTP, scheduling, execution, output, and the file scan."""
    client = session.client()
    times = []
    for n in range(CELLS + WARM_UP):
        started = time.perf_counter()
        client.run(f"execution-{n}", "1+1")
        times.append(time.perf_counter() - started)
    return times[WARM_UP:]


def throughput(session: ProcessSession) -> dict[str, float]:
    """Return megabytes a second in and out."""
    client = session.client()
    started = time.perf_counter()
    client.store("large", io.BytesIO(bytes(FILE_BYTES)), FILE_BYTES)
    stored = time.perf_counter()
    with client.fetch("large") as chunks:
        received = sum(map(len, chunks))
    fetched = time.perf_counter()
    megabytes = received / 1e6
    return {
        "in_mb_s": round(megabytes / (stored - started)),
        "out_mb_s": round(megabytes / (fetched - stored)),
    }


def resident_megabytes(pid: int) -> dict[str, float]:
    """Return the memory of a process and all below it, by name of what it runs."""
    sizes: dict[str, float] = {}
    waiting = [pid]
    while waiting:
        process = Path(f"/proc/{waiting.pop()}")
        name = process.joinpath("cmdline").read_text().split("\0")[2:4]
        kind = "kernel" if "sandboxd.runner" in name else "daemon"
        pages = int(process.joinpath("statm").read_text().split()[1])
        sizes[kind] = round(sizes.get(kind, 0) + pages * 4096 / 1e6, 1)
        for task in process.joinpath("task").iterdir():
            waiting += map(int, task.joinpath("children").read_text().split())
    return sizes


def measure() -> dict[str, Any]:
    """Measure everything."""
    bare = milliseconds(bare_executions())
    with launched() as session:
        timed = milliseconds(daemon_executions(session))
        memory = resident_megabytes(session.process.pid)
        files = throughput(session)
    return {
        "start": {"plain": start(PRELOAD=""), "preloaded": start()},
        "execution": {
            "bare_ipython": bare,
            "daemon": timed,
            "overhead": {name: round(timed[name] - bare[name], 2) for name in bare},
        },
        "files": files,
        "idle_rss_mb": memory,
        "run_with_code": code_runs(),
        "dollars": session_dollars(),
    }


def rows(measured: dict[str, Any], path: str = "") -> Iterator[tuple[str, float]]:
    """Yield each number with its path."""
    for name, value in measured.items():
        if isinstance(value, dict):
            yield from rows(value, f"{path}{name} ")
        else:
            yield path + name, value


def main() -> None:
    """Measure, print and write."""
    measured = measure()
    print("\nCode interpreter\n----------------")
    for name, value in rows(measured):
        print(f"{name:32}{value:>10}")
    cache = REPOSITORY / ".cache"
    cache.mkdir(exist_ok=True)
    (cache / "bench-sandbox.json").write_text(json.dumps(measured, indent=2))


if __name__ == "__main__":
    main()
