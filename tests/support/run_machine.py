"""The run state machine without Step Functions."""

from typing import Any

from assistants.domain.ids import RunRef
from assistants.ports.executions import Outcome
from assistants.services.backend import Backend


class InlineRunMachine:
    """Implements `Executions`: each state runs at once, in the thread that starts or resumes it."""

    backend: Backend

    def __init__(self) -> None:
        self.waiting: dict[str, dict[str, Any]] = {}
        self.tokens = 0

    def start(self, ref: RunRef) -> None:
        self.call_model({**ref.to_state(), "turn": 0})

    def resume(self, token: str, outcome: Outcome) -> bool:
        if token not in self.waiting:
            return False
        self.call_model(self.waiting.pop(token))
        return True

    def call_model(self, state: dict[str, Any]) -> None:
        ref = RunRef.from_state(state)
        following = self.backend.turns.service.take(ref, state["turn"])
        if following["next"] == "tools":
            for call in following["calls"]:
                self.backend.turns.tool_calls.answer(ref, call["call"])
        if following["next"] == "action" or following.get("calls_functions"):
            self.tokens += 1
            token = f"token-{self.tokens}"
            self.waiting[token] = following
            self.backend.runs.callbacks.begin(ref, following["turn"], token)
        elif following["next"] == "tools":
            self.call_model(following)
