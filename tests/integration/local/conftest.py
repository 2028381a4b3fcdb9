"""What the tests of the local stack share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local.cloud import Cloud
from infra.local.function_spec import LocalFunctionSpec
from infra.local.functions import FunctionHost

FUNCTIONS = Path(__file__).with_name("functions")
STREAMING_LAYER = Path("layers/streaming").resolve()


def spec(folder: str, *, timeout: float = 20, concurrency: int | None = None) -> LocalFunctionSpec:
    """A function in `functions/<folder>`; those named `…_stream` run under the streaming loop."""
    streams = folder.endswith("_stream")
    return LocalFunctionSpec(
        logical_id=folder.title().replace("_", ""),
        name=f"test-{folder}",
        arn=f"arn:aws:lambda:us-east-1:123456789012:function:test-{folder}",
        handler="handler.handler",
        timeout=timeout,
        memory_mb=256,
        environment={"AWS_LAMBDA_EXEC_WRAPPER": "/opt/stream"} if streams else {},
        code=FUNCTIONS / folder,
        layers=(STREAMING_LAYER,) if streams else (),
        concurrency=concurrency,
    )


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
