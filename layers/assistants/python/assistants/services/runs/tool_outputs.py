"""Tool outputs of the client: recorded first, then the waiting machine is called back."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from assistants.domain.callback import Callback
from assistants.domain.errors import InvalidRequestError, outputs_not_accepted, wrong_outputs
from assistants.domain.ids import RunRef
from assistants.domain.journal import Event
from assistants.domain.run import Run, ToolOutput, ToolOutputsSubmit
from assistants.ports.clock import Clock
from assistants.ports.table import Replace, Save
from assistants.services.runs.callbacks import Callbacks
from assistants.services.runs.repository import Change, LoadedRun, RunRepository
from assistants.services.runs.rows import row_of


@dataclass(frozen=True)
class Submitted:
    """A stream of the rest of the run starts after the journal record number `after`."""

    run: Run
    after: int


@dataclass(frozen=True)
class ToolOutputs:
    repository: RunRepository
    callbacks: Callbacks
    clock: Clock

    def submit(self, ref: RunRef, body: ToolOutputsSubmit) -> Submitted:
        """Record all outputs of one wait at once. Repeating the submit changes nothing and is
        fine, however far the run is by then.

        Raises `InvalidRequestError` for a run that does not wait and for an incomplete set.
        """
        digest = _digest(body.tool_outputs)
        try:
            run, callback = self._record(ref, body, digest)
        except InvalidRequestError:
            run = self.repository.load(ref)
            if (earlier := self.callbacks.ended_by(run, digest)) is None:
                raise
            return Submitted(run.run, after=earlier.sequence)
        self.callbacks.call_back(run, callback, "submitted")
        return Submitted(run.run, after=callback.sequence)

    def _record(
        self, ref: RunRef, body: ToolOutputsSubmit, digest: str
    ) -> tuple[LoadedRun, Callback]:
        """Return the run, and its newest callback as its wait ended."""
        ended: list[Callback] = []  # the last one counts: `decide` may run several times

        def decide(run: LoadedRun) -> Change | None:
            found, step = self.callbacks.find_with_step(run)
            if found is not None and found.callback.outputs_digest == digest:
                ended.append(found.callback)
                return None
            if run.state.status != "requires_action" or found is None or step is None:
                raise outputs_not_accepted(run.state.status)
            if self.clock.time() >= run.state.deadline:
                raise outputs_not_accepted("expired")
            members = {"outputs_digest": digest, "sequence": run.state.sequence}
            ended.append(found.callback.model_copy(update=members))
            return self._change(run, step.body, body, found.replaced(ended[-1]))

        return self.repository.change(ref, decide), ended[-1]

    def _change(
        self, run: LoadedRun, step: dict[str, Any], body: ToolOutputsSubmit, ended: Replace
    ) -> Change:
        _fill_in(step["step_details"]["tool_calls"], body.tool_outputs)
        completed = {
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
            events=(Event("thread.run.step.completed", completed),),
            writes=(ended, Save(row_of(run, step | completed))),
        )


def _fill_in(calls: list[dict[str, Any]], outputs: Sequence[ToolOutput]) -> None:
    """Put each output into its function call.

    Raises `InvalidRequestError` unless each call has exactly one.
    """
    functions = {call["id"]: call["function"] for call in calls if call["type"] == "function"}
    got = [output.tool_call_id for output in outputs]
    if sorted(got) != sorted(functions):
        raise wrong_outputs(functions, got)
    for output in outputs:
        functions[output.tool_call_id]["output"] = output.output


def _digest(outputs: Sequence[ToolOutput]) -> str:
    """Return the same text for the same outputs, in whichever order they are sent."""
    pairs = sorted((output.tool_call_id, output.output) for output in outputs)
    return hashlib.sha256(json.dumps(pairs).encode()).hexdigest()
