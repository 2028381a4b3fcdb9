"""`make bench`: counts what runs cost, times them, prints tables and writes `.cache/bench.json`."""

import json
import logging
import platform
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from typing import Any

from infra.local import LocalStack
from infra.repository import REPOSITORY
from tests.benchmarks.bundles import bundle_sizes, import_times
from tests.benchmarks.load import Load, measure
from tests.benchmarks.provider import CONTEXT, Provider, provider
from tests.benchmarks.report import render
from tests.support.call_counter import CallCounter, run_costs
from tests.support.model_server import ModelServer
from tests.support.route_calls import route_calls

CACHE = REPOSITORY / ".cache"
CONVERSATIONS = {1: 40, 10: 100, 50: 100}
"""How many conversations are timed at each concurrency."""


def main() -> None:
    """Measure everything."""
    logging.getLogger("moto").setLevel(logging.CRITICAL)  # the last runs end with the stack
    measured = {
        "machine": {"python": platform.python_version(), "platform": platform.platform()},
        **_counts(),
        "bundle_mb": bundle_sizes(CACHE / "bench.cdk.out"),
        "load": _load(),
    }
    CACHE.mkdir(exist_ok=True)
    (CACHE / "bench.json").write_text(json.dumps(measured, indent=2, ensure_ascii=False))
    print(render(measured))


def _counts() -> dict[str, Any]:
    with ModelServer() as models, _stack(models.url) as stack:
        counter = CallCounter(stack, models)
        runs = run_costs(counter)  # before the routes, which leave runs at work
        return {
            "routes": route_calls(counter),
            "runs": {name: asdict(run) for name, run in runs.items()},
            "import_ms": import_times(stack),
        }


def _load() -> list[dict[str, Any]]:
    results = []
    with provider() as model, _stack(model.url) as stack:
        for concurrency, conversations in CONVERSATIONS.items():
            for kind, name in _kinds(model).items():
                load = Load(stack.base_url, name, concurrency, conversations)
                with ProcessPoolExecutor(1, mp_context=CONTEXT) as client:
                    timed = client.submit(measure, kind, load).result()
                results.append({"concurrency": concurrency, **timed})
    return results


def _kinds(model: Provider) -> dict[str, str]:
    """Return the kinds of conversation, and the model of each."""
    return {
        "requests": model.speaks,
        "polled": model.speaks,
        "streamed": model.speaks,
        "function": model.calls,
    }


def _stack(model_url: str) -> LocalStack:
    models = '{"demo": {"provider": "demo"}}'
    return LocalStack(parameters={"ModelUrl": model_url, "Models": models, "Auth": "open"})


if __name__ == "__main__":
    main()
