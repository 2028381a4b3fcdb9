"""Executions of the run state machine."""

from typing import Literal, Protocol

Outcome = Literal["submitted", "cancelled"]


class Unavailable(Exception):
    """Raise when the service does not take the call now, after all retries."""


class Executions(Protocol):
    def start(self, project: str, thread_id: str, run_id: str) -> None:
        """Start the execution that is named by the run; starting it again changes nothing.

        Raises `Unavailable`.
        """
        ...

    def resume(self, token: str, outcome: Outcome) -> bool:
        """End the wait behind `token`. False when nothing waits for it any more.

        Raises `Unavailable`.
        """
        ...
