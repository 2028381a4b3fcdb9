"""Calls of hosted tools: the work of the states inside UseTools."""

from collections.abc import Mapping
from dataclasses import dataclass

from assistants.domain.errors import NotFoundError
from assistants.domain.ids import RunRef
from assistants.domain.journal import Event, RunProjection
from assistants.domain.tool import HostedToolName, specs_of
from assistants.domain.tool_call import HostedCall, StoredCall
from assistants.ports.clock import Clock
from assistants.ports.hosted_tool import HostedTool, RunFailedError, ToolAnswer, ToolUse
from assistants.ports.table import Create, Replace, Row, Table
from assistants.services.runs.repository import Change, LoadedRun, RunRepository
from assistants.services.storage import keys
from assistants.telemetry import logger


def creations(run: LoadedRun, calls: list[HostedCall]) -> tuple[Create, ...]:
    """Return the rows of unanswered calls, to be written with the turn that made them."""
    stored = (StoredCall(**call.model_dump()) for call in calls)
    return tuple(
        Create(Row(keys.tool_call(run.ref, call.id), call.model_dump(mode="json")))
        for call in stored
    )


@dataclass(frozen=True)
class HostedCalls:
    table: Table
    repository: RunRepository
    tools: Mapping[HostedToolName, HostedTool]
    clock: Clock

    def prepare(self, run: LoadedRun) -> None:
        """Have the run's tools ready.

        Raises `RunFailedError`. Any other failure is left to the calls, which may never come.
        """
        for spec in specs_of(run.settings.tools):
            if (tool := self.tools.get(spec.name)) is None:
                continue
            try:
                tool.prepare(
                    run.project,
                    run.settings,
                    cancelled=lambda: self._is_over(run),
                    seconds_left=self._seconds_left(run),
                )
            except RunFailedError:
                raise
            except Exception:  # a tool's failure reaches the model when it calls that tool
                logger.exception("a tool was not prepared", extra={"tool": spec.name})

    def answer(self, ref: RunRef, call_id: str) -> None:
        """Use the tool and record its answer for the model, for clients, and as an event, in one
        write. Leave a call alone that is answered, or whose run is not in progress any more.
        """
        try:
            run = self.repository.load(ref)
        except NotFoundError:
            return
        call = StoredCall.model_validate(self._row(run, call_id).body)
        if call.output is not None or run.state.status != "in_progress":
            return
        answer = self.tools[call.tool].answer(self._use(run, call))

        def decide(now: LoadedRun) -> Change | None:
            row = self._row(now, call_id)
            known = StoredCall.model_validate(row.body)
            if known.output is not None or now.state.status != "in_progress":
                return None
            return self._change(now, row, known, answer)

        self.repository.change(ref, decide)

    def _use(self, run: LoadedRun, call: StoredCall) -> ToolUse:
        return ToolUse(
            project=run.project,
            run=run.settings,
            id=call.id,
            number=call.number,
            arguments=call.arguments,
            cancelled=lambda: self._is_over(run),
            seconds_left=self._seconds_left(run),
        )

    def _change(self, run: LoadedRun, row: Row, call: StoredCall, answer: ToolAnswer) -> Change:
        step_id = run.state.waiting_step or ""
        [step] = self.table.get(keys.step(run.ref, step_id))
        if step is None:
            raise LookupError(f"step {step_id} of {run.settings.id} is missing")
        shown = {"index": call.position, "type": call.tool, call.tool: answer.shown}
        details = {"type": "tool_calls", "tool_calls": [shown]}
        event = Event("thread.run.step.delta", {"id": step_id, "delta": {"step_details": details}})
        projection = RunProjection(run={}, objects={step_id: step.body})
        projection.apply(event)
        answered = call.model_copy(
            update={
                "output": answer.output,
                "citations": answer.citations,
                "files": answer.files,
                "images": list(answer.images),
            }
        )
        return Change(
            events=(event,) if answer.shown else (),
            writes=(
                Replace(step, step.changed(projection.objects[step_id])),
                Replace(row, row.changed(answered.model_dump(mode="json"))),
            ),
        )

    def _seconds_left(self, run: LoadedRun) -> int:
        return max(1, int(run.state.deadline - self.clock.time()))

    def _is_over(self, run: LoadedRun) -> bool:
        try:
            return self.repository.load(run.ref).state.status != "in_progress"
        except NotFoundError:
            return True

    def _row(self, run: LoadedRun, call_id: str) -> Row:
        [row] = self.table.get(keys.tool_call(run.ref, call_id))
        if row is None:
            raise LookupError(f"tool call {call_id} of {run.settings.id} is missing")
        return row
