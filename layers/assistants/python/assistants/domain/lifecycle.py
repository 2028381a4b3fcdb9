"""The legal transitions between run statuses, as in OpenAI's guide."""

from typing import Any

from assistants.domain.run import RunStatus

TRANSITIONS: dict[RunStatus, frozenset[RunStatus]] = {
    "queued": frozenset({"in_progress", "cancelling", "expired", "failed"}),
    "in_progress": frozenset(
        {
            "requires_action",
            "cancelling",
            "completed",
            "incomplete",
            "failed",
            "expired",
        }
    ),
    "requires_action": frozenset({"queued", "cancelling", "expired"}),
    "cancelling": frozenset({"cancelled", "completed", "failed", "expired"}),
    "cancelled": frozenset(),
    "completed": frozenset(),
    "incomplete": frozenset(),
    "failed": frozenset(),
    "expired": frozenset(),
}
TERMINAL = frozenset(status for status, following in TRANSITIONS.items() if not following)


class IllegalTransitionError(Exception):
    """Raised when a run would make a transition that the table does not have."""

    def __init__(self, before: RunStatus, after: RunStatus) -> None:
        super().__init__(f"A run in status {before} cannot become {after}.")


def check(before: RunStatus, after: RunStatus) -> None:
    """Raise `IllegalTransitionError` unless the table has this transition."""
    if after not in TRANSITIONS[before]:
        raise IllegalTransitionError(before, after)


def stamps(status: RunStatus, now: int) -> dict[str, Any]:
    """Return the members of a run to set when it enters `status`; `now` is in Unix seconds."""
    if status not in TERMINAL:
        return {"started_at": now} if status == "in_progress" else {}
    ended: dict[str, Any] = {"required_action": None}
    if status != "expired":
        ended["expires_at"] = None
    if status in ("completed", "failed", "cancelled"):
        ended[f"{status}_at"] = now
    return ended
