"""Calls of the function in the sessions' network: what is sent, retried and raised."""

import io
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from assistants.adapters import lambda_calls
from assistants.adapters.sandbox.proxied_session import ProxiedSession, SandboxProxy
from assistants.domain.errors import RateLimitError
from assistants.ports.blobs import BlobMissingError
from assistants.ports.sandbox import SandboxLostError, SandboxRefusedError


class Function:
    """Answers in turn, or raises."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.requests: list[Any] = []

    def invoke(self, *, FunctionName: str, Payload: bytes) -> dict[str, Any]:
        self.requests.append(json.loads(Payload))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        failed = {"FunctionError": "Unhandled"} if answer is None else {}
        return {"Payload": io.BytesIO(json.dumps(answer).encode()), **failed}


class Time:
    """In place of the module: it moves by `step` when it is read, and nobody waits."""

    def __init__(self, step: float) -> None:
        self._step = step
        self._now = 0.0

    def monotonic(self) -> float:
        self._now += self._step
        return self._now

    def sleep(self, seconds: float) -> None:
        """Return at once."""


def session(function: Any) -> ProxiedSession:
    return ProxiedSession(SandboxProxy("proxy", lambda: function), "http://10.0.0.1:8080", "secret")


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": ""}}, "Invoke")


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lambda_calls, "time", Time(step=0))


def test_a_request_is_one_call_with_the_token() -> None:
    function = Function({"value": 7})
    assert session(function).take("a.csv", "files/p/file-1") == 7
    assert function.requests == [
        {
            "address": "http://10.0.0.1:8080",
            "token": "secret",
            "call": {"method": "take", "path": "a.csv", "blob": "files/p/file-1"},
        }
    ]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ({"lost": "gone"}, SandboxLostError),
        ({"refused": "session_full"}, SandboxRefusedError),
        ({"missing": "files/p/x"}, BlobMissingError),
        ({"other": 1}, ValueError),
    ],
)
def test_what_the_session_raised_is_raised_here(answer: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        session(Function(answer)).cancel("a")


def test_a_function_whose_network_wakes_is_asked_again() -> None:
    function = Function(refusal("ResourceConflictException"), {"value": True})
    assert session(function).ready(1)
    assert len(function.requests) == 2


def test_a_throttled_function_is_asked_again_but_not_for_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The state machine asks later for all of it: who waits holds a place of the account."""
    busy = refusal("TooManyRequestsException")
    assert session(Function(busy, busy, {"value": True})).ready(1)
    monkeypatch.setattr(lambda_calls, "time", Time(step=6))
    function = Function(*[busy] * 10)
    with pytest.raises(RateLimitError):
        session(function).ready(1)
    assert len(function.requests) == 4  # at 6, 12, 18 and 24 seconds


@pytest.mark.parametrize("answer", [refusal("AccessDeniedException"), None])
def test_a_function_that_fails_is_an_error_without_the_token(answer: Any) -> None:
    with pytest.raises((ClientError, RuntimeError)) as raised:
        session(Function(answer)).ready(1)
    assert "secret" not in str(raised.value)
