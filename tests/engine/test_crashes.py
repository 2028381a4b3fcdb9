"""Every function dies before and after each of its writes: every run ends, every thread is free."""

import time
from dataclasses import replace

import pytest
from hypothesis import settings

from tests.engine.fault_injector import Point
from tests.engine.report import Report
from tests.engine.scenario import Stage
from tests.engine.scenarios import SCENARIOS, TROUBLES, Scenario, trouble_with

THOROUGH = settings.get_current_profile_name() == "long"
"""All deaths at all writes, in `make test-engine`; else one at each, and none at the same twice."""

_survived: set[tuple[Point, ...]] = set()


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("name", SCENARIOS)
def test_a_death_at_any_write_loses_nothing(
    name: str, request: pytest.FixtureRequest, report: Report
) -> None:
    scenario = SCENARIOS[name]
    stage: Stage = request.getfixturevalue("hasty_stage" if scenario.hasty else "stage")
    writes = _perform(stage, name, scenario, report)
    for number, write in enumerate(() if scenario.only else writes):
        history = tuple(writes[: number + 1])
        if write not in scenario.given and (THOROUGH or history not in _survived):
            for point in _chosen(write):
                _perform(stage, name, scenario, report, point)
            _survived.add(history)
    for point in (*scenario.also, *scenario.only):
        _perform(stage, name, scenario, report, point)


@pytest.mark.parametrize("name", TROUBLES)
def test_whatever_the_model_does_the_run_ends(name: str, stage: Stage, report: Report) -> None:
    trouble = Scenario(lambda stage: trouble_with(stage, TROUBLES[name]), frozenset({"failed"}))
    _perform(stage, f"model {name}", trouble, report)


def _chosen(write: Point) -> list[Point]:
    deaths = [write, replace(write, moment="after"), replace(write, moment="after", fate="cut")]
    return deaths if THOROUGH else [deaths[len(_survived) % len(deaths)]]


def _perform(
    stage: Stage, name: str, scenario: Scenario, report: Report, *points: Point
) -> list[Point]:
    """Play it, check what is left of it, and return the writes that it took."""
    started = time.monotonic()
    stage.begin(*scenario.given, *points)
    scenario.act(stage)
    status = scenario.check(stage)
    seconds = time.monotonic() - started
    assert not set(points) & set(stage.deaths.pending)
    writes = list(stage.deaths.writes)
    if status != "gone":
        stage.speak()
    death = str(points[0]) if points else "nothing"
    report.add(name, death, status, f"{seconds:.1f} s", stage.sweeps, stage.client.broken)
    assert status in scenario.ends, f"{name}, {death}: {status}"
    return writes
