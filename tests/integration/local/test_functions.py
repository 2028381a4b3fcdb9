"""Functions run as processes under AWS's own runtime client, and fail as Lambda words it."""

import json
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from infra.local.functions import FunctionHost, HostedFunction, TooManyRequestsError
from infra.local.hot_reload import HotReload
from infra.local.invocation import FunctionError
from tests.integration.local.toy_functions import spec


def add(host: FunctionHost, folder: str = "toy", **options: Any) -> HostedFunction:
    function = spec(folder, **options)
    host.add(function)
    return host[function.logical_id]


def call(function: HostedFunction, **event: Any) -> Any:
    return json.loads(function.invoke(json.dumps(event).encode()).response())


def failure(function: HostedFunction, **event: Any) -> Any:
    with pytest.raises(FunctionError) as caught:
        call(function, **event)
    return json.loads(caught.value.payload)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_second_invocation_reuses_the_warm_worker(host: FunctionHost) -> None:
    function = add(host)
    first = call(function, do="echo", value="é")
    second = call(function, do="echo", value=2)
    assert first["echo"] == "é"
    assert first["pid"] == second["pid"]
    assert (function.invocations, function.cold_starts) == (2, 1)


def test_simultaneous_invocations_get_a_worker_each(host: FunctionHost) -> None:
    function = add(host)
    with ThreadPoolExecutor() as threads:
        pids = list(threads.map(lambda _: call(function, do="sleep", seconds=1), range(3)))
    assert len(set(pids)) == 3
    assert function.cold_starts == 3


def test_a_burst_is_served_by_a_worker_that_becomes_free(host: FunctionHost) -> None:
    function = add(host)
    with ThreadPoolExecutor(40) as threads:
        answers = list(threads.map(lambda n: call(function, do="echo", value=n), range(40)))
    assert [answer["echo"] for answer in answers] == list(range(40))
    assert function.cold_starts < 40


def test_the_last_used_worker_is_used_first(host: FunctionHost) -> None:
    function = add(host)
    with ThreadPoolExecutor() as threads:
        list(threads.map(lambda _: call(function, do="sleep", seconds=0.5), range(2)))
    assert len({call(function, do="echo", value=0)["pid"] for _ in range(5)}) == 1


def test_above_its_concurrency_a_function_refuses(host: FunctionHost) -> None:
    function = add(host, concurrency=1)
    running = function.invoke(b'{"do": "sleep", "seconds": 0.3}')
    with pytest.raises(TooManyRequestsError):
        function.invoke(b'{"do": "echo", "value": 1}')
    running.response()
    assert call(function, do="echo", value=1)["echo"] == 1


def test_the_context_knows_id_arn_and_remaining_time(host: FunctionHost) -> None:
    function = add(host, timeout=20)
    context = call(function, do="context")
    assert context["arn"] == function.arn
    assert 10_000 < context["remaining_ms"] <= 20_000


def test_only_the_variables_of_lambda_and_of_the_function_reach_it(
    host: FunctionHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("A_SECRET_OF_THE_USER", "42")
    environment = call(add(host), do="environment")
    assert environment["AWS_LAMBDA_FUNCTION_NAME"] == "test-toy"
    assert "A_SECRET_OF_THE_USER" not in environment
    assert "HOME" not in environment


def test_an_exception_is_answered_with_its_class_and_message(host: FunctionHost) -> None:
    function = add(host)
    error = failure(function, do="fail", message="not like this")
    assert (error["errorType"], error["errorMessage"]) == ("ValueError", "not like this")
    assert call(function, do="echo", value=1)["echo"] == 1
    assert function.cold_starts == 1


def test_a_timeout_kills_the_worker_and_says_so(host: FunctionHost) -> None:
    function = add(host, timeout=0.5)
    pid = call(function, do="echo", value=1)["pid"]
    error = failure(function, do="sleep", seconds=60)
    assert error["errorType"] == "Sandbox.Timedout"
    assert error["errorMessage"].endswith("Error: Task timed out after 0.50 seconds")
    assert not is_alive(pid)
    assert call(function, do="echo", value=2)["pid"] != pid


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (3, "Runtime exited with error: exit status 3"),
        (0, "Runtime exited without providing a reason"),
    ],
)
def test_a_worker_that_exits_is_an_exit_error(host: FunctionHost, status: int, reason: str) -> None:
    function = add(host)
    error = failure(function, do="exit", status=status)
    assert error["errorType"] == "Runtime.ExitError"
    assert error["errorMessage"].endswith(reason)
    assert call(function, do="echo", value=1)["echo"] == 1


def test_a_worker_killed_within_an_invocation_is_an_exit_error(host: FunctionHost) -> None:
    function = add(host)
    invocation = function.invoke(b'{"do": "sleep", "seconds": 60}')
    while not invocation.delivered:
        time.sleep(0.01)
    (worker,) = function.workers
    worker.kill()
    with pytest.raises(FunctionError, match=r"Runtime\.ExitError.*signal: killed"):
        invocation.response()


def test_an_idle_worker_that_dies_is_replaced_unnoticed(host: FunctionHost) -> None:
    function = add(host)
    call(function, do="echo", value=1)
    (worker,) = function.workers
    worker.kill()
    while worker.process.returncode is None:
        time.sleep(0.0001)
    assert call(function, do="echo", value=2)["echo"] == 2
    assert function.cold_starts == 2


def test_a_function_that_cannot_be_imported_fails_each_invocation(host: FunctionHost) -> None:
    function = add(host, "broken")
    for _ in range(2):
        error = failure(function)
        assert error["errorType"] == "Runtime.ImportModuleError"
        assert "a_module_that_does_not_exist" in error["errorMessage"]


def test_a_response_above_six_megabytes_is_an_error(host: FunctionHost) -> None:
    function = add(host)
    assert len(call(function, do="fill", size=6_000_000)) == 6_000_000
    assert failure(function, do="fill", size=7_000_000)["errorType"] == (
        "Function.ResponseSizeTooLarge"
    )
    assert call(function, do="echo", value=1)["echo"] == 1


def test_what_a_function_prints_is_in_its_logs(host: FunctionHost) -> None:
    function = add(host)
    call(function, do="print", value="hello from the inside")
    assert "hello from the inside" in function.logs


def test_an_edit_of_the_source_counts_from_the_next_invocation_on(
    host: FunctionHost, tmp_path: Path
) -> None:
    source = "def handler(event, context):\n    return {}\n"
    (tmp_path / "handler.py").write_text(source.format(1))
    host.add(replace(spec("toy"), code=tmp_path))
    function = host["Toy"]
    renewed = threading.Event()
    edits = HotReload(host, lambda names: renewed.set() if names == ["Toy"] else None)
    assert call(function) == 1
    (tmp_path / "handler.py").write_text(source.format(22))
    assert renewed.wait(20)
    assert call(function) == 22
    edits.close()


def test_a_busy_worker_ends_its_invocation_before_it_is_renewed(host: FunctionHost) -> None:
    function = add(host)
    running = function.invoke(b'{"do": "sleep", "seconds": 0.5}')
    while not running.delivered:
        time.sleep(0.01)
    function.restart()
    pid = json.loads(running.response())
    assert call(function, do="echo", value=1)["pid"] != pid
    assert function.cold_starts == 2


def test_closing_the_host_ends_running_invocations_and_processes(host: FunctionHost) -> None:
    function = add(host)
    pid = call(function, do="echo", value=1)["pid"]
    running = function.invoke(b'{"do": "sleep", "seconds": 60}')
    host.close()
    with pytest.raises(FunctionError, match="ExitError"):
        running.response()
    assert not is_alive(pid)
