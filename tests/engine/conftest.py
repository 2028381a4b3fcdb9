"""What the tests of the engine share: local stacks, how thorough they are, a table to print."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from tests.engine.report import Report

if TYPE_CHECKING:  # what needs no stack need not wait for its imports
    from tests.engine.scenario import Stage
    from tests.support.model_server import ModelServer

settings.register_profile("long", max_examples=20_000)  # for `make test-engine`


_report = Report("what", "point of death", "the run", "took", "sweeps", "requests sent again")


@pytest.fixture(scope="session")
def report() -> Report:
    return _report


@pytest.fixture(scope="session")
def stage(model_server: ModelServer) -> Iterator[Stage]:
    """A local stack, whose minutes pass when a test says so."""
    with _stage(model_server) as stage:
        yield stage


@pytest.fixture(scope="session")
def hasty_stage(model_server: ModelServer) -> Iterator[Stage]:
    """One whose runs live for five seconds."""
    with _stage(model_server, RunTtlSeconds="5") as stage:
        yield stage


@contextmanager
def _stage(models: ModelServer, **parameters: str) -> Iterator[Stage]:
    from infra.local import LocalStack
    from tests.engine.fault_injector import Deaths
    from tests.engine.retrying_client import Patient
    from tests.engine.scenario import Stage

    given = {"ModelUrl": models.url, "Auth": "open", "ModelTimeoutSeconds": "2", **parameters}
    with LocalStack(parameters=given) as stack, Patient.of(stack.base_url) as client:
        for schedule in stack.schedules.rules.values():
            schedule.disable()
        yield Stage(stack, models, Deaths(stack), client)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if _report:
        terminalreporter.section("how runs ended")
        for line in _report.lines():
            terminalreporter.line(line)
