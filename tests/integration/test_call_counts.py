"""AWS calls are money: what each route and each kind of run makes, exactly, its functions warm.

`call_counts.json` holds the numbers. Whoever changes one on purpose changes it there.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from assistants.http.routes import ROUTES
from infra.local import LocalStack
from tests.support.call_counter import PACED, CallCounter, RunCost, run_costs
from tests.support.model_server import ModelServer
from tests.support.route_calls import route_calls

EXPECTED: dict[str, Any] = json.loads(Path(__file__).with_name("call_counts.json").read_text())


@pytest.fixture(scope="module")
def counter(model_server: ModelServer) -> Iterator[CallCounter]:
    """A stack of its own, as every other caller would be counted."""
    parameters = {"ModelUrl": model_server.url, "Models": '{"demo": {"provider": "demo"}}'}
    with LocalStack(parameters) as stack:
        yield CallCounter(stack, model_server)


@pytest.fixture(scope="module")
def runs(counter: CallCounter) -> dict[str, RunCost]:
    return run_costs(counter)


@pytest.mark.parametrize("kind", EXPECTED["runs"])
def test_a_run_passes_its_states_and_makes_its_calls(kind: str, runs: dict[str, RunCost]) -> None:
    assert asdict(runs[kind]) == EXPECTED["runs"][kind]


def test_a_stream_adds_nothing_but_reads_and_flushes(runs: dict[str, RunCost]) -> None:
    plain, streamed = runs["plain"], runs["streamed"]
    assert streamed.states == plain.states
    for call in PACED:
        assert streamed.calls[call] > plain.calls.get(call, 0)
    assert _unpaced(streamed) == _unpaced(plain)


def _unpaced(run: RunCost) -> dict[str, int]:
    return {call: count for call, count in run.calls.items() if call not in PACED}


def test_every_route_makes_its_calls_and_no_other(
    counter: CallCounter, runs: dict[str, RunCost]
) -> None:
    assert route_calls(counter) == EXPECTED["routes"]


def test_every_route_is_counted() -> None:
    assert set(EXPECTED["routes"]) == {f"{route.method} {route.path}" for route in ROUTES}
