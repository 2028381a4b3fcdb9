"""An account's limit of concurrent functions, and what each kind of caller sees of it.

https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html
"""

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from infra.local import LocalStack
from infra.local.concurrency import AccountConcurrency
from tests.integration.local import toy_template
from tests.integration.local.toy_queue import depth, send
from tests.support.waiting import wait_until


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    assembly = toy_template.assembly(
        tmp_path_factory.mktemp("assembly"), Sleeper=toy_template.function("toy")
    )
    with LocalStack(assembly=assembly, concurrency=1) as stack:
        yield stack


@pytest.fixture
def release(stack: LocalStack, tmp_path: Path) -> Iterator[Callable[[], None]]:
    """Fill the account's only place, until it is called; what was throttled is counted."""
    gate = tmp_path / "gate"
    event = {"do": "wait for", "path": str(gate)}
    running = stack.functions["Sleeper"].invoke(json.dumps(event).encode())
    stack.functions.concurrency.reset()
    yield gate.touch
    gate.touch()
    running.response()


def throttled(stack: LocalStack, function: str, times: int = 1) -> None:
    wait_until(lambda: stack.functions.concurrency.throttles[function] >= times)


Release = Callable[[], None]


def test_the_peak_says_which_functions_ran_when_the_most_did() -> None:
    account = AccountConcurrency(3)
    assert [account.take(name) for name in "aabb"] == [True, True, True, False]
    account.release("a")
    assert account.peak == {"a": 2, "b": 1}
    assert account.throttles == {"b": 1}
    account.reset()
    assert (account.peak, account.throttles) == ({"a": 1, "b": 1}, {})


def test_an_invocation_is_refused_with_429(stack: LocalStack, release: Release) -> None:
    client = stack.client("lambda")
    name = stack.functions["Consumer"].spec.name
    with pytest.raises(client.exceptions.TooManyRequestsException) as refused:
        client.invoke(FunctionName=name)
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 429
    release()
    wait_until(lambda: stack.functions.concurrency.take("test"))
    stack.functions.concurrency.release("test")
    assert client.invoke(FunctionName=name)["StatusCode"] == 200


def test_api_gateway_answers_500_in_the_templates_words(
    stack: LocalStack, release: Release
) -> None:
    answer = httpx2.get(f"{stack.base_url}/threads")
    assert answer.status_code == 500
    assert "Internal server error" in answer.text


def test_a_queues_message_waits_and_is_delivered_once(stack: LocalStack, release: Release) -> None:
    send(stack, "patient")
    throttled(stack, "Consumer")
    release()
    wait_until(lambda: "got patient for the " in stack.functions["Consumer"].logs)
    wait_until(lambda: depth(stack, "Queue") == 0)


def test_an_event_waits(stack: LocalStack, release: Release) -> None:
    (name,) = stack.schedules.rules
    stack.schedules.fire(name)
    throttled(stack, "Consumer")
    release()
    wait_until(lambda: '"detail-type": "Scheduled Event"' in stack.functions["Consumer"].logs)


def test_an_event_waits_twice_as_long_each_time(
    stack: LocalStack, release: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    delays: list[float] = []

    def call_now(seconds: float, function: Callable[[], Any]) -> None:
        if seconds in (1, 2, 4, 8):
            delays.append(seconds)
            threading.Thread(target=function).start()

    monkeypatch.setattr(stack.functions.timers, "call_later", call_now)
    (name,) = stack.schedules.rules
    stack.schedules.fire(name)
    wait_until(lambda: len(delays) == 4)
    assert delays == [1, 2, 4, 8]


def test_a_state_sees_an_error_that_it_can_retry(stack: LocalStack, release: Release) -> None:
    client = stack.client("stepfunctions")
    execution = client.start_execution(
        stateMachineArn=stack.resource("Service", "StateMachine"),
        input='{"id": "busy", "fail": false}',
    )["executionArn"]
    ended = wait_until(lambda: _ended(client, execution))
    assert ended["error"] == "Lambda.TooManyRequestsException"


def _ended(client: Any, execution: str) -> Any:
    found = client.describe_execution(executionArn=execution)
    return None if found["status"] == "RUNNING" else found
