"""`python -m tests.benchmarks.concurrency`: how many functions each kind of work runs at once.

A new AWS account may run ten. Prints a table and writes `.cache/bench-concurrency.json`. Each kind
is repeated: the highest number depends on what happens to overlap.
"""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from infra.local import LocalStack
from infra.repository import REPOSITORY
from tests.support.model_server import ModelServer
from tests.support.workload import CODE, SEARCH, Workload

REPEATED = 5


def measure() -> dict[str, dict[str, int]]:
    """Return the functions that ran when the most did, by the kind of work."""
    with ModelServer() as models, _stack(models) as stack:
        work = Workload(stack.base_url, models)
        kinds: dict[str, Callable[[], Any]] = {
            "one request": work.request,
            "a streamed run": work.stream,
            "a streamed run with file search": lambda: work.stream(SEARCH),
            "a streamed run with code": lambda: work.stream(CODE),
            "a streamed run with both at once": lambda: work.stream(SEARCH, CODE),
            "an upload of four files": work.upload,
            "that run and that upload, with `expire`": lambda: _all(stack, work),
        }
        return {kind: _peak(stack, conduct) for kind, conduct in kinds.items()}


def _all(stack: LocalStack, work: Workload) -> None:
    (expire,) = stack.schedules.rules
    with ThreadPoolExecutor() as users:
        jobs = [users.submit(work.upload), users.submit(work.stream, SEARCH, CODE)]
        stack.schedules.fire(expire)
        for job in jobs:
            job.result()


def _peak(stack: LocalStack, conduct: Callable[[], Any]) -> dict[str, int]:
    concurrency = stack.functions.concurrency
    conduct()  # starts the functions' workers
    concurrency.reset()
    for _ in range(REPEATED):
        conduct()
    return dict(sorted(concurrency.peak.items()))


def _stack(models: ModelServer) -> LocalStack:
    return LocalStack({"ModelUrl": models.url, "Models": "{}", "Auth": "open"})


def main() -> None:
    """Measure, print and keep."""
    measured = measure()
    path = REPOSITORY / ".cache/bench-concurrency.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(measured, indent=2))
    print("| work | functions at once | which |\n|---|---|---|")
    for kind, functions in measured.items():
        which = ", ".join(f"{number} {name}" for name, number in functions.items())
        print(f"| {kind} | {sum(functions.values())} | {which} |")


if __name__ == "__main__":
    main()
