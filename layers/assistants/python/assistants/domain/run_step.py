"""Run steps: one per message, and one per model turn that calls tools."""

from copy import deepcopy
from typing import Any, Literal

from assistants.domain.hosted_tools.file_search import FILE_SEARCH
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

    def to_api(self, include: Include) -> "RunStep":
        """Return the step with the details that a client asked for."""
        details = details_to_api(self.step_details, include)
        return self.model_copy(update={"step_details": details})


def details_to_api(details: dict[str, Any], include: Include) -> dict[str, Any]:
    """Return the details of a step or of its delta, without search results' content unless that is
    in `include`.
    """
    if include or "tool_calls" not in details:
        return details
    details = deepcopy(details)
    for call in details["tool_calls"]:
        for result in call.get(FILE_SEARCH.name, {}).get("results") or ():
            result.pop("content", None)
    return details


def required_action(calls: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the action that a run requires: outputs for its function calls, in one submit."""
    requested = [
        {
            "id": call["id"],
            "type": "function",
            "function": {key: call["function"][key] for key in ("name", "arguments")},
        }
        for call in calls
        if call["type"] == "function"
    ]
    return {"type": "submit_tool_outputs", "submit_tool_outputs": {"tool_calls": requested}}
