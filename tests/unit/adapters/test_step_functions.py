"""Executions and secrets, by the calls that AWS is asked and the answers that it may give."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.session import get_session
from botocore.stub import Stubber

from assistants.adapters import secrets
from assistants.adapters.step_functions import StepFunctions
from assistants.domain.ids import ProjectId, RunId, RunRef, ThreadId
from assistants.ports.executions import ExecutionsUnavailableError

MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:run"
RUN_A = RunRef(ProjectId("p"), ThreadId("thread_a"), RunId("run_a"))


def stubbed(service: str) -> Stubber:
    client = get_session().create_client(
        service, "us-east-1", aws_access_key_id="none", aws_secret_access_key="none"
    )
    return Stubber(client)


@pytest.fixture
def states() -> Iterator[Stubber]:
    with stubbed("stepfunctions") as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def executions(states: Stubber) -> StepFunctions:
    client: Any = states.client
    return StepFunctions(MACHINE, lambda: client)


def test_an_execution_is_named_by_its_run_and_holds_ids_alone(states: Stubber) -> None:
    state = {"project": "p", "thread": "thread_a", "run": "run_a", "turn": 0}
    expected = {"stateMachineArn": MACHINE, "name": "run_a", "input": json.dumps(state)}
    answer = {"executionArn": f"{MACHINE}:run_a", "startDate": 0}
    for _ in range(2):  # byte by byte the same each time: AWS takes it for one
        states.add_response("start_execution", answer, expected)
    executions(states).start(RUN_A)
    executions(states).start(RUN_A)


def test_an_execution_that_exists_is_started(states: Stubber) -> None:
    states.add_client_error("start_execution", "ExecutionAlreadyExists", http_status_code=400)
    executions(states).start(RUN_A)


@pytest.mark.parametrize("code", ["ThrottlingException", "ExecutionLimitExceeded", "Internal"])
def test_a_start_that_is_not_taken_raises(states: Stubber, code: str) -> None:
    states.add_client_error("start_execution", code)
    with pytest.raises(ExecutionsUnavailableError, match=code):
        executions(states).start(RUN_A)


@pytest.mark.parametrize("outcome", ["submitted", "cancelled"])
def test_a_wait_is_ended_with_its_outcome(states: Stubber, outcome: Any) -> None:
    expected = {"taskToken": "t", "output": json.dumps({"outcome": outcome})}
    states.add_response("send_task_success", {}, expected)
    assert executions(states).resume("t", outcome)


@pytest.mark.parametrize("code", ["InvalidToken", "TaskDoesNotExist", "TaskTimedOut"])
def test_a_token_that_nothing_waits_for_is_no_error(states: Stubber, code: str) -> None:
    states.add_client_error("send_task_success", code)
    assert not executions(states).resume("t", "submitted")


def test_a_callback_that_is_not_taken_raises(states: Stubber) -> None:
    states.add_client_error("send_task_success", "ThrottlingException")
    with pytest.raises(ExecutionsUnavailableError):
        executions(states).resume("t", "submitted")


def test_a_secret_is_read_where_its_reference_says(monkeypatch: pytest.MonkeyPatch) -> None:
    with stubbed("ssm") as ssm:
        monkeypatch.setattr(secrets, "client", lambda _: ssm.client)
        expected = {"Name": "/assistants/model-key", "WithDecryption": True}
        ssm.add_response("get_parameter", {"Parameter": {"Value": "sk-secret"}}, expected)
        assert secrets.resolve("ssm:/assistants/model-key")() == "sk-secret"


def test_a_secret_that_is_rotated_is_used_after_five_minutes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 1000.0
    with stubbed("ssm") as ssm:
        monkeypatch.setattr(secrets, "client", lambda _: ssm.client)
        for value in ("sk-old", "sk-new"):
            ssm.add_response("get_parameter", {"Parameter": {"Value": value}})
        secret = secrets.SsmSecret("/key", lambda: now)
        assert [secret(), secret()] == ["sk-old", "sk-old"]
        now += secrets.FRESH_SECONDS - 1
        assert secret() == "sk-old"
        now += 1
        assert [secret(), secret()] == ["sk-new", "sk-new"]
        ssm.assert_no_pending_responses()


def test_no_reference_is_no_secret() -> None:
    assert secrets.resolve(None)() is None


@pytest.mark.parametrize("reference", ["sk-secret", "", "/name", "env:KEY", "SSM:/name"])
def test_a_secret_is_never_taken_from_a_setting_itself(reference: str) -> None:
    with pytest.raises(ValueError, match="SecureString") as caught:
        secrets.resolve(reference)
    assert "secret" not in str(caught.value).replace("a secret is given", "")
