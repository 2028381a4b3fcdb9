"""Executions of the state machine, one per run."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from assistants.domain.ids import RunRef
from assistants.ports.executions import ExecutionsUnavailableError, Outcome

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient


class StepFunctions:
    """Implement `Executions`."""

    def __init__(self, state_machine: str, client: Callable[[], "SFNClient"]) -> None:
        self._state_machine = state_machine
        self._make_client = client

    @cached_property
    def _client(self) -> "SFNClient":
        return self._make_client()

    def start(self, ref: RunRef) -> None:
        """Start an execution. AWS starts one per name, and a run's input never changes."""
        state = {**ref.to_state(), "turn": 0}
        with _available():
            try:
                self._client.start_execution(
                    stateMachineArn=self._state_machine, name=ref.run_id, input=json.dumps(state)
                )
            except self._client.exceptions.ExecutionAlreadyExists:
                return

    def resume(self, token: str, outcome: Outcome) -> bool:
        gone = (
            self._client.exceptions.InvalidToken,
            self._client.exceptions.TaskDoesNotExist,
            self._client.exceptions.TaskTimedOut,
        )
        with _available():
            try:
                self._client.send_task_success(
                    taskToken=token, output=json.dumps({"outcome": outcome})
                )
            except gone:
                return False
        return True


@contextmanager
def _available() -> Iterator[None]:
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise ExecutionsUnavailableError(str(error)) from error
