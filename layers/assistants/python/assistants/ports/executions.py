"""Executions of the run state machine."""

from typing import Literal, Protocol

from assistants.domain.ids import RunRef

Outcome = Literal["submitted", "cancelled"]


class ExecutionsUnavailableError(Exception):
    """Raise when the service does not take the call now, after all retries."""


class Executions(Protocol):
    def start(self, ref: RunRef) -> None:
        """Start the execution that is named by the run; starting it again changes nothing.

        Raises `ExecutionsUnavailableError`.
        """
        ...

    def resume(self, token: str, outcome: Outcome) -> bool:
        """End the wait behind `token`. False when nothing waits for it any more.

        Raises `ExecutionsUnavailableError`.
        """
        ...
