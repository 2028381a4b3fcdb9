"""Fixtures of the tests of the local stack."""

from collections.abc import Iterator

import pytest

from infra.local.cloud import Cloud
from infra.local.functions import FunctionHost
from tests.integration.local.tables import create_table


@pytest.fixture
def host() -> Iterator[FunctionHost]:
    """A host of functions, without an AWS endpoint."""
    host = FunctionHost(aws=lambda _: {})
    yield host
    host.close()


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    """An empty account on this machine."""
    with Cloud() as cloud:
        yield cloud


@pytest.fixture
def queue(cloud: Cloud, request: pytest.FixtureRequest) -> str:
    """The URL of an empty queue."""
    name = f"{request.node.name:.70}".translate({ord("["): "-", ord("]"): None})
    return str(cloud.client("sqs").create_queue(QueueName=name)["QueueUrl"])


@pytest.fixture
def table(cloud: Cloud, request: pytest.FixtureRequest) -> str:
    """A table with the key `pk`, `sk`."""
    name = str(request.node.name)
    create_table(cloud, name)
    return name
