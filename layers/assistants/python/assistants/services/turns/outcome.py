"""The end of a turn: the run's next status, and the input of the machine's next state."""

from typing import Any

from assistants.domain.ids import RunRef
from assistants.domain.run import LastError, RunIncomplete, RunStatus
from assistants.services.runs.repository import LoadedRun
from assistants.services.turns.reply import Reply

_FILTERED = LastError(
    code="server_error", message="The provider's content filter ended the answer."
)


def status_after(reply: Reply) -> tuple[RunStatus | None, dict[str, Any]]:
    """Return the run's status after a finished turn (None while tools are called), with members of
    its state that go with it.
    """
    if reply.waiting_step is not None and reply.cut is None:
        hosted = {call.id: call.tool for call in reply.hosted_calls}
        return None, {
            "next": "tools" if hosted else "action",
            "hosted_calls": hosted,
            "hosted_made": reply.hosted_made,
            "calls_functions": reply.calls_functions,
            "waiting_step": reply.waiting_step,
            "waiting_usage": reply.usage,
        }
    match reply.cut:
        case "max_tokens":
            return "incomplete", {
                "incomplete_details": RunIncomplete(reason="max_completion_tokens")
            }
        case "content_filter":
            return "failed", {"last_error": _FILTERED}
        case _:
            return "completed", {}


def tool_inputs(run: LoadedRun) -> dict[str, Any]:
    """Return the items of the machine's Map, and whether the client is asked afterwards."""
    ids = run.ref.to_state()
    calls = run.state.hosted_calls.items()
    return {
        "calls": [{**ids, "call": call, "tool": tool} for call, tool in calls],
        "calls_functions": run.state.calls_functions,
    }


def next_input(ref: RunRef, turn: int, next_: str, seconds_left: int) -> dict[str, Any]:
    return {**ref.to_state(), "turn": turn, "next": next_, "seconds_left": seconds_left}
