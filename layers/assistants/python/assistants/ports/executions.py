"""Executions of the run state machine."""

from typing import Literal, Protocol

from assistants.domain.ids import RunRef

Outcome = Literal["submitted", "cancelled"]


class ExecutionsUnavailableError(Exception):
    """Raised when Step Functions does not accept the call, after all retries."""


class Executions(Protocol):
    def start(self, ref: RunRef) -> None:
        """Start the execution named after the run; starting it again changes nothing.

        Raises `ExecutionsUnavailableError`.
        """
        ...

    def resume(self, token: str, outcome: Outcome) -> bool:
        """Send the callback for a task token. Return False when no task waits for it any more.

        Raises `ExecutionsUnavailableError`.
        """
        ...
