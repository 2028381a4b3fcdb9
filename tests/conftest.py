"""Fixtures for every test: a scripted model provider, and a local stack that uses it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from tests.support.bedrock_server import BedrockServer
from tests.support.model_server import ModelServer
from tests.support.sandbox_platforms import KINDS, Session, session

if TYPE_CHECKING:  # moto takes a second to import, which unit tests need not wait for
    from infra.local import LocalStack


# Several threads slow MiniLM down, and each other where the cores are shared.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# No test judges by the clock. CI tries the same examples every time; everywhere else each run
# tries others.
settings.register_profile("local", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add options by which `make smoke` names an endpoint instead of the local stack."""
    group = parser.getgroup("endpoint", "the endpoint that tests/e2e talks to")
    group.addoption(
        "--base-url",
        help="https://…/v1 of a deployed endpoint, its key in API_KEY; or a local stack",
    )
    group.addoption("--model", default="demo", help="a model of that endpoint (default: demo)")


@pytest.fixture(scope="session")
def model_server() -> Iterator[ModelServer]:
    """The scripted model provider that the local stack's runs ask."""
    with ModelServer() as server:
        yield server


@pytest.fixture(scope="session")
def bedrock_server() -> Iterator[BedrockServer]:
    """The scripted Bedrock that the local stack's runs ask."""
    with BedrockServer() as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", server.url)
        yield server


@pytest.fixture(scope="session")
def stack(model_server: ModelServer, bedrock_server: BedrockServer) -> Iterator[LocalStack]:
    """The synthesized template, deployed on this machine with open authentication.

    In the end no function has made a call that its role would not have allowed.
    """
    from infra.local import LocalStack
    from tests.support.permissions import forbidden

    models = '{"demo": {"provider": "demo"}, "bedrock.*": {"provider": "bedrock"}}'
    parameters = {"ModelUrl": model_server.url, "Models": models, "Auth": "open"}
    with LocalStack(parameters=parameters) as stack:
        yield stack
        assert forbidden(stack) == set()


@pytest.fixture(scope="session", params=KINDS)
def sandbox(request: pytest.FixtureRequest) -> Iterator[Session]:
    """A code interpreter session per platform, shared by all tests: it has to survive them all."""
    with session(request.param) as running:
        yield running
