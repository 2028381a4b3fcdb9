"""What the client's functions answered: recorded first, then the waiting machine is called back."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from assistants.domain.errors import InvalidRequestError, outputs_not_accepted, wrong_outputs
from assistants.domain.ids import RunRef
from assistants.domain.journal import Event
from assistants.domain.run import Run, ToolOutput, ToolOutputsSubmit
from assistants.ports.clock import Clock
from assistants.ports.table import Replace, Row, Save
from assistants.services.runs.callbacks import Callbacks, answered
from assistants.services.runs.repository import Change, LoadedRun, RunRepository
from assistants.services.runs.rows import row_of


@dataclass(frozen=True)
class Submitted:
    """`after` is the number of the journal's record that a stream of the rest begins behind."""

    run: Run
    after: int


@dataclass(frozen=True)
class ToolOutputs:
    repository: RunRepository
    callbacks: Callbacks
    clock: Clock

    def submit(self, ref: RunRef, body: ToolOutputsSubmit) -> Submitted:
        """All outputs of one wait at once; the same submit again changes nothing and is fine,
        however far the run is by then.

        Raises `InvalidRequestError` for a run that does not wait and for an incomplete set.
        """
        digest = _digest(body.tool_outputs)
        try:
            run, wait = self._record(ref, body, digest)
        except InvalidRequestError:
            run = self.repository.load(ref)
            if (earlier := self.callbacks.ended_by(run, digest)) is None:
                raise
            return Submitted(run.run, after=earlier.body["asked_at"])
        self.callbacks.call_back(run, wait, "submitted")
        return Submitted(run.run, after=wait.body["asked_at"])

    def _record(
        self,
        ref: RunRef,
        body: ToolOutputsSubmit,
        digest: str,
    ) -> tuple[LoadedRun, Row]:
        """The run, and its newest wait as it has ended."""
        answers: list[Row] = []  # the last one counts

        def decide(run: LoadedRun) -> Change | None:
            wait, step = self.callbacks.find_with_step(run)
            if wait is not None and wait.body["answers"] == digest:
                answers.append(wait)
                return None
            if run.state.status != "requires_action" or wait is None or step is None:
                raise outputs_not_accepted(run.state.status)
            if self.clock.time() >= run.state.deadline:
                raise outputs_not_accepted("expired")
            answers.append(answered(wait, digest, run.state.sequence))
            return self._change(run, step.body, body, Replace(wait, answers[-1]))

        return self.repository.change(ref, decide), answers[-1]

    def _change(
        self, run: LoadedRun, step: dict[str, Any], body: ToolOutputsSubmit, answer: Replace
    ) -> Change:
        _answer(step["step_details"]["tool_calls"], body.tool_outputs)
        done = {
            "id": step["id"],
            "status": "completed",
            "completed_at": int(self.clock.time()),
            "step_details": step["step_details"],
            "usage": run.state.waiting_usage.model_dump() if run.state.waiting_usage else None,
        }
        return Change(
            status="queued",
            members={
                "required_action": None,
                "waiting_step": None,
                "watched": bool(body.stream),
            },
            events=(Event("thread.run.step.completed", done),),
            writes=(answer, Save(row_of(run, step | done))),
        )


def _answer(calls: list[dict[str, Any]], outputs: Sequence[ToolOutput]) -> None:
    """Put each function call's output into it. Raises `InvalidRequestError` unless all have just
    one.
    """
    functions = {call["id"]: call["function"] for call in calls if call["type"] == "function"}
    got = [output.tool_call_id for output in outputs]
    if sorted(got) != sorted(functions):
        raise wrong_outputs(functions, got)
    for output in outputs:
        functions[output.tool_call_id]["output"] = output.output


def _digest(outputs: Sequence[ToolOutput]) -> str:
    pairs = sorted((output.tool_call_id, output.output) for output in outputs)
    return hashlib.sha256(json.dumps(pairs).encode()).hexdigest()
