"""Calls of the tools that run on the server: what the states RunCode and SearchFiles do."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from assistants.domain.errors import NotFoundError
from assistants.domain.ids import RunRef
from assistants.domain.journal import Event, RunProjection
from assistants.domain.run import HostedCall
from assistants.domain.tool import HostedToolName, specs_of
from assistants.ports.clock import Clock
from assistants.ports.hosted_tool import HostedTool, RunFailedError, ToolAnswer, ToolUse
from assistants.ports.table import Create, Replace, Row, Table
from assistants.services.runs.repository import Change, LoadedRun, RunRepository
from assistants.services.storage import keys
from assistants.telemetry import logger


def creations(run: LoadedRun, calls: list[HostedCall]) -> tuple[Create, ...]:
    """The rows of calls that are still to be answered, written with the turn that made them."""
    return tuple(
        Create(
            Row(
                keys.tool_call(run.ref, call.id),
                {**call.model_dump(), "output": None},
            )
        )
        for call in calls
    )


@dataclass(frozen=True)
class HostedCalls:
    table: Table
    repository: RunRepository
    tools: Mapping[HostedToolName, HostedTool]
    clock: Clock

    def prepare(self, run: LoadedRun) -> None:
        """Have the run's tools ready. Raises `RunFailedError`; what else goes wrong is left to the
        calls themselves, which may never come.
        """
        for spec in specs_of(run.settings.tools):
            if (tool := self.tools.get(spec.name)) is None:
                continue
            try:
                tool.prepare(
                    run.project,
                    run.settings,
                    cancelled=lambda: self._ended(run),
                    seconds_left=self._seconds_left(run),
                )
            except RunFailedError:
                raise
            except Exception:  # the edge to tools, whose failures the model is told when it calls
                logger.exception("a tool was not prepared", extra={"tool": spec.name})

    def answer(self, ref: RunRef, call_id: str) -> None:
        """Use the tool and write down its answer: for the model, for clients, and as an event, all
        at once. A call that is answered, or whose run is not at work any more, is left alone.
        """
        try:
            run = self.repository.load(ref)
        except NotFoundError:
            return
        row = self._row(run, call_id)
        if row.body["output"] is not None or run.state.status != "in_progress":
            return
        answer = self.tools[row.body["tool"]].answer(self._use(run, row))

        def decide(now: LoadedRun) -> Change | None:
            known = self._row(now, call_id)
            at_work = now.state.status == "in_progress"
            if known.body["output"] is not None or not at_work:
                return None
            return self._change(now, known, answer)

        self.repository.change(ref, decide)

    def _use(self, run: LoadedRun, call: Row) -> ToolUse:
        return ToolUse(
            project=run.project,
            run=run.settings,
            id=call.body["id"],
            number=call.body["number"],
            arguments=call.body["arguments"],
            cancelled=lambda: self._ended(run),
            seconds_left=self._seconds_left(run),
        )

    def _change(self, run: LoadedRun, row: Row, answer: ToolAnswer) -> Change:
        step_id, tool = run.state.waiting_step or "", row.body["tool"]
        [step] = self.table.get(keys.step(run.ref, step_id))
        if step is None:
            raise LookupError(f"step {step_id} of {run.settings.id} is missing")
        call = {"index": row.body["position"], "type": tool, tool: answer.shown}
        details = {"type": "tool_calls", "tool_calls": [call]}
        event = Event("thread.run.step.delta", {"id": step_id, "delta": {"step_details": details}})
        story = RunProjection(run={}, objects={step_id: step.body})
        story.tell(event)
        # All of the answer but what is shown, which the step holds.
        kept = {name: value for name, value in asdict(answer).items() if name != "shown"}
        answered = row.changed({**row.body, **kept})
        return Change(
            events=(event,) if answer.shown else (),
            writes=(Replace(step, step.changed(story.objects[step_id])), Replace(row, answered)),
        )

    def _seconds_left(self, run: LoadedRun) -> int:
        return max(1, int(run.state.deadline - self.clock.time()))

    def _ended(self, run: LoadedRun) -> bool:
        try:
            now = self.repository.load(run.ref)
        except NotFoundError:
            return True
        return now.state.status != "in_progress"

    def _row(self, run: LoadedRun, call_id: str) -> Row:
        [row] = self.table.get(keys.tool_call(run.ref, call_id))
        if row is None:
            raise LookupError(f"tool call {call_id} of {run.settings.id} is missing")
        return row
