"""The small functions in `functions/`, as the local stack is given them."""

from pathlib import Path

from infra.local.function_spec import LocalFunctionSpec

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
