"""Run steps: what a run did, one step per message and one per model turn that called tools."""

from typing import Any, Literal

from assistants.domain.run import LastError, Usage
from assistants.domain.schema import Metadata, Object

StepStatus = Literal["in_progress", "cancelled", "failed", "completed", "expired"]


class RunStep(Object):
    id: str
    object: Literal["thread.run.step"] = "thread.run.step"
    created_at: int
    assistant_id: str
    thread_id: str
    run_id: str
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


def function_call(call_id: str, name: str, arguments: str) -> dict[str, Any]:
    """A function call as a step shows it; `output` is null until the client submits it."""
    function = {"name": name, "arguments": arguments, "output": None}
    return {"id": call_id, "type": "function", "function": function}


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
