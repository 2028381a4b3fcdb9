"""Executions of the run state machine."""

from typing import Literal, Protocol

Outcome = Literal["submitted", "cancelled"]


class Executions(Protocol):
    def start(self, project: str, thread_id: str, run_id: str) -> None:
        """Start the execution that is named by the run; starting it again changes nothing."""
        ...

    def resume(self, token: str, outcome: Outcome) -> bool:
        """End the wait behind `token`. False when nothing waits for it any more."""
        ...
