"""Local stacks for the tests of the engine, and the report that they print in the end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from tests.engine.report import Report

if TYPE_CHECKING:  # a test without a stack does not wait for its imports
    from tests.engine.harness import Harness
    from tests.support.model_server import ModelServer

settings.register_profile("long", max_examples=20_000)  # for `make test-engine`


_report = Report("scenario", "fault", "the run", "took", "sweeps", "requests sent again")


@pytest.fixture(scope="session")
def report() -> Report:
    return _report


@pytest.fixture(scope="session")
def harness(model_server: ModelServer) -> Iterator[Harness]:
    """A local stack that is swept when a test says so."""
    with _harness(model_server) as harness:
        yield harness


@pytest.fixture(scope="session")
def short_lived_harness(model_server: ModelServer) -> Iterator[Harness]:
    """A stack whose runs live for five seconds."""
    with _harness(model_server, RunTtlSeconds="5") as harness:
        yield harness


@contextmanager
def _harness(models: ModelServer, **parameters: str) -> Iterator[Harness]:
    from infra.local import LocalStack
    from tests.engine.fault_injector import FaultInjector
    from tests.engine.harness import Harness
    from tests.engine.retrying_client import RetryingClient

    given = {"ModelUrl": models.url, "Auth": "open", "ModelTimeoutSeconds": "2", **parameters}
    with LocalStack(parameters=given) as stack, RetryingClient.of(stack.base_url) as client:
        for schedule in stack.schedules.rules.values():
            schedule.disable()
        yield Harness(stack, models, FaultInjector(stack), client)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if _report:
        terminalreporter.section("how runs ended")
        for line in _report.lines():
            terminalreporter.line(line)
