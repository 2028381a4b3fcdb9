"""`python -m tests.benchmarks.files`: how fast files come and go, and in how much memory.

Prints a table and writes `.cache/bench-files.json`. S3 is moto on the same two cores, so the speeds
are of the whole machine and only the memory is what the functions need on AWS, too.
"""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from openai import OpenAI

from examples.large_files.large_files import LargeFiles
from infra.local import LocalStack
from infra.repository import REPOSITORY

MEGABYTE = 10**6
SIZES = (1, 4, 64, 512)  # MB
WHOLE = 4  # MB that one request may carry
PART = 4_000_000
FUNCTIONS = ("Api", "Stream")
RESET_PEAK = "5"  # proc(5), clear_refs: forget the peak of the resident set


class Meter:
    """Seconds and AWS calls of what is done inside `measured`, and each function's memory."""

    def __init__(self, stack: LocalStack) -> None:
        self._stack = stack

    @contextmanager
    def measured(self, size: int) -> Iterator[dict[str, Any]]:
        """Yield a dict, then fill it: MB/s, calls, and the workers' peak of MB above their rest."""
        self._stack.calls.clear()
        rest = {name: self._memory(name, "VmRSS", reset=True) for name in FUNCTIONS}
        result: dict[str, Any] = {}
        started = time.perf_counter()
        yield result
        result["mb_s"] = round(size / (time.perf_counter() - started), 1)
        result["calls"] = {
            f"{call.function} {call.service}:{call.operation}": count
            for call, count in self._stack.calls.counts().items()
            if call.function in FUNCTIONS
        }
        result["peak_mb"] = {
            name: round(self._memory(name, "VmHWM") - rest[name], 1) for name in FUNCTIONS
        }

    def _memory(self, function: str, name: str, *, reset: bool = False) -> float:
        """Return the most that one worker of the function has, in MB."""
        found = [0.0]
        for worker in tuple(self._stack.functions[function].workers):
            process = Path(f"/proc/{worker.process.pid}")
            status = (process / "status").read_text().splitlines()
            (line,) = (one for one in status if one.startswith(name))
            found.append(int(line.split()[1]) * 1024 / MEGABYTE)
            if reset:
                (process / "clear_refs").write_text(RESET_PEAK)
        return max(found)


def measure() -> list[dict[str, Any]]:
    """Measure each operation at each size."""
    with LocalStack({"Auth": "open"}) as stack, TemporaryDirectory() as folder:
        client = OpenAI(base_url=stack.base_url, api_key="sk-bench", max_retries=0)
        adapted = client.with_options(http_client=LargeFiles())
        meter = Meter(stack)
        _warm(client)
        results = []
        for size in SIZES:
            path = _file(Path(folder), size)
            for name, send in _ways(client, adapted, size).items():
                with meter.measured(size) as result:
                    file_id = send(path)
                results.append({"mb": size, "operation": name, **result})
                with meter.measured(size) as result:
                    _download(client, file_id)
                results.append({"mb": size, "operation": f"content of that {name}", **result})
                client.files.delete(file_id)
        return results


def _ways(client: OpenAI, adapted: OpenAI, size: int) -> dict[str, Any]:
    """Return the ways in which a file of `size` MB can be sent."""

    def create(path: Path, through: OpenAI = client) -> str:
        with path.open("rb") as stream:
            return through.files.create(file=stream, purpose="vision").id

    def upload(path: Path) -> str:
        kind = "application/octet-stream"
        uploads = client.uploads
        done = uploads.upload_file_chunked(
            file=path, mime_type=kind, purpose="vision", part_size=PART
        )
        assert done.file
        return done.file.id

    if size <= WHOLE:
        return {"files.create": create}
    return {
        "upload_file_chunked": upload,
        "files.create by the adapter": lambda path: create(path, adapted),
    }


def _warm(client: OpenAI) -> None:
    """Start the workers and have them connect to S3."""
    upload = client.uploads.create(bytes=2, filename="a", mime_type="text/plain", purpose="vision")
    parts = [client.uploads.parts.create(upload.id, data=b".").id for _ in range(2)]
    done = client.uploads.complete(upload.id, part_ids=parts)
    assert done.file
    client.files.content(done.file.id).read()
    client.files.delete(done.file.id)


def _file(folder: Path, size: int) -> Path:
    """Make a file of `size` MB in which no two places are equal."""
    path = folder / f"{size}.bin"
    with path.open("wb") as stream:
        for number in range(size):
            block = b"".join(place.to_bytes(4, "big") for place in range(MEGABYTE // 4))
            stream.write(number.to_bytes(4, "big") + block[4:])
    return path


def _download(client: OpenAI, file_id: str) -> None:
    with client.files.with_streaming_response.content(file_id) as response:
        for _ in response.iter_bytes(MEGABYTE):
            pass


def main() -> None:
    """Measure, print and write."""
    results = measure()
    for one in results:
        peaks = ", ".join(f"{name} +{mb} MB" for name, mb in one["peak_mb"].items())
        print(f"\n{one['mb']:>4} MB  {one['operation']:<45}{one['mb_s']:>7} MB/s  {peaks}")
        for call, count in sorted(one["calls"].items()):
            print(f"{'':9}{count:>4} {call}")
    cache = REPOSITORY / ".cache"
    cache.mkdir(exist_ok=True)
    (cache / "bench-files.json").write_text(json.dumps(results, indent=2))


if __name__ == "__main__":
    main()
