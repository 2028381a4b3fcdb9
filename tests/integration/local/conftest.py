"""What the tests of the local stack share."""

from collections.abc import Iterator

import pytest

from infra.local.cloud import Cloud
from infra.local.functions import FunctionHost


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
