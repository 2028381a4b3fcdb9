"""Run steps: what a run did, one step per message and one per model turn that called tools."""

from copy import deepcopy
from typing import Any, Literal

from assistants.domain.ids import RunId, ThreadId
from assistants.domain.run import LastError, Usage
from assistants.domain.schema import Metadata, Object

Include = list[Literal["step_details.tool_calls[*].file_search.results[*].content"]]
StepStatus = Literal["in_progress", "cancelled", "failed", "completed", "expired"]


class RunStep(Object):
    id: str
    object: Literal["thread.run.step"] = "thread.run.step"
    created_at: int
    assistant_id: str
    thread_id: ThreadId
    run_id: RunId
    type: Literal["message_creation", "tool_calls"]
    status: StepStatus = "in_progress"
    step_details: dict[str, Any]
    last_error: LastError | None = None
    expired_at: int | None = None
    cancelled_at: int | None = None
    failed_at: int | None = None
    completed_at: int | None = None
    metadata: Metadata = {}
    usage: Usage | None = None


def shown(step: RunStep, include: Include) -> RunStep:
    """The step as a client asked for it."""
    return step.model_copy(update={"step_details": shown_details(step.step_details, include)})


def shown_details(details: dict[str, Any], include: Include) -> dict[str, Any]:
    """Details of a step, or of its delta: what a search found is left out unless it is named."""
    if include or "tool_calls" not in details:
        return details
    details = deepcopy(details)
    for call in details["tool_calls"]:
        for result in call.get("file_search", {}).get("results") or ():
            result.pop("content", None)
    return details


def required_action(calls: list[dict[str, Any]]) -> dict[str, Any]:
    """What the client must do: answer these function calls, all in one submit."""
    asked = [
        {
            "id": call["id"],
            "type": "function",
            "function": {key: call["function"][key] for key in ("name", "arguments")},
        }
        for call in calls
        if call["type"] == "function"
    ]
    return {"type": "submit_tool_outputs", "submit_tool_outputs": {"tool_calls": asked}}
