"""The streaming loop of layers/streaming answers through the Runtime API, chunk by chunk."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.local.functions import FunctionHost, HostedFunction
from infra.local.invocation import FunctionError
from tests.integration.local.toy_functions import spec


@pytest.fixture
def function(host: FunctionHost) -> HostedFunction:
    toy = spec("toy_stream")
    host.add(toy)
    return host[toy.logical_id]


def start(function: HostedFunction, **event: Any) -> Iterator[bytes]:
    return function.invoke(json.dumps(event).encode()).chunks()


def prelude(chunk: bytes) -> Any:
    head, _, rest = chunk.partition(bytes(8))
    assert rest == b""
    return json.loads(head)


def test_each_chunk_arrives_when_it_is_written(function: HostedFunction, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    chunks = start(function, do="wait", **{"for": str(seen)})
    assert prelude(next(chunks))["statusCode"] == 200
    assert next(chunks) == b"waiting"
    seen.touch()
    assert list(chunks) == [b"done"]


def test_status_and_repeated_headers_are_in_the_prelude(function: HostedFunction) -> None:
    first, body = start(function, do="cookies")
    assert prelude(first) == {
        "statusCode": 201,
        "headers": {"x-one": "1"},
        "multiValueHeaders": {"set-cookie": ["a=1", "b=2"]},
    }
    assert len(body.decode()) == len("00000000-0000-0000-0000-000000000000")


def test_an_error_before_the_response_is_the_functions_error(function: HostedFunction) -> None:
    with pytest.raises(FunctionError) as caught:
        list(start(function, do="fail before"))
    error = json.loads(caught.value.payload)
    assert (error["errorType"], error["errorMessage"]) == ("ValueError", "no answer today")
    assert "ValueError: no answer today" in function.logs


def test_an_error_within_the_response_comes_after_what_was_sent(function: HostedFunction) -> None:
    chunks = start(function, do="fail within")
    assert prelude(next(chunks))["statusCode"] == 200
    assert next(chunks) == b"data: 0\n\n"
    with pytest.raises(FunctionError, match="broken off"):
        next(chunks)


def test_a_handler_that_begins_no_response_is_an_error(function: HostedFunction) -> None:
    with pytest.raises(FunctionError, match="NoResponseError"):
        list(start(function, do="say nothing"))


def test_the_worker_is_reused_after_an_error_and_after_a_response(function: HostedFunction) -> None:
    for event in ("fail before", "fail within"):
        with pytest.raises(FunctionError):
            list(start(function, do=event))
    assert len(list(start(function, do="count", to=2))) == 3
    assert function.cold_starts == 1


def test_a_function_runs_on_when_its_caller_has_gone(function: HostedFunction) -> None:
    invocation = function.invoke(b'{"do": "count", "to": 5, "pause": 0.05}')
    chunks = invocation.chunks()
    next(chunks)
    invocation.abandon()
    assert len(list(start(function, do="count", to=1))) == 2


def test_a_streaming_function_that_cannot_be_imported_fails_to_start(host: FunctionHost) -> None:
    broken = spec("broken_stream")
    host.add(broken)
    with pytest.raises(FunctionError, match="ModuleNotFoundError"):
        list(start(host[broken.logical_id]))


def test_a_worker_that_dies_within_a_response_breaks_it_off(function: HostedFunction) -> None:
    chunks = start(function, do="count", to=1000, pause=0.1)
    next(chunks)
    (worker,) = function.workers
    worker.kill()
    with pytest.raises(FunctionError, match=r"Runtime\.ExitError"):
        list(chunks)
