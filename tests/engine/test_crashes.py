"""Kill every function before and after each write: every run ends, every thread is free."""

import time
from dataclasses import replace

import pytest
from hypothesis import settings

from tests.engine.fault_injector import Fault
from tests.engine.harness import Harness
from tests.engine.report import Report
from tests.engine.scenarios import MODEL_FAILURES, SCENARIOS, Scenario, failing_model

THOROUGH = settings.get_current_profile_name() == "long"
"""All faults at all writes, in `make test-engine`; else one fault at each different write."""

_survived: set[tuple[Fault, ...]] = set()


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("name", SCENARIOS)
def test_a_fault_at_any_write_loses_nothing(
    name: str, request: pytest.FixtureRequest, report: Report
) -> None:
    scenario = SCENARIOS[name]
    fixture = "short_lived_harness" if scenario.short_lived else "harness"
    harness: Harness = request.getfixturevalue(fixture)
    writes = _perform(harness, name, scenario, report)
    for number, write in enumerate(() if scenario.only else writes):
        history = tuple(writes[: number + 1])
        if write not in scenario.given and (THOROUGH or history not in _survived):
            for fault in _chosen(write):
                _perform(harness, name, scenario, report, fault)
            _survived.add(history)
    for fault in (*scenario.also, *scenario.only):
        _perform(harness, name, scenario, report, fault)


@pytest.mark.parametrize("name", MODEL_FAILURES)
def test_whatever_the_model_does_the_run_ends(name: str, harness: Harness, report: Report) -> None:
    failure = Scenario(
        lambda harness: failing_model(harness, MODEL_FAILURES[name]), frozenset({"failed"})
    )
    _perform(harness, f"model {name}", failure, report)


def _chosen(write: Fault) -> list[Fault]:
    faults = [write, replace(write, moment="after"), replace(write, moment="after", effect="cut")]
    return faults if THOROUGH else [faults[len(_survived) % len(faults)]]


def _perform(
    harness: Harness, name: str, scenario: Scenario, report: Report, *faults: Fault
) -> list[Fault]:
    """Run the scenario, check the outcome, and return the writes that it took."""
    started = time.monotonic()
    harness.begin(*scenario.given, *faults)
    scenario.action(harness)
    status = scenario.check(harness)
    seconds = time.monotonic() - started
    assert not set(faults) & set(harness.faults.pending)
    writes = list(harness.faults.writes)
    if status != "gone":
        harness.check_free()
    fault = str(faults[0]) if faults else "nothing"
    report.add(name, fault, status, f"{seconds:.1f} s", harness.sweeps, harness.client.retries)
    assert status in scenario.ends, f"{name}, {fault}: {status}"
    return writes
