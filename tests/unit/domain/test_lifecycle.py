"""The table of legal run status changes is the one of the original API."""

from typing import get_args

import pytest

from assistants.domain import lifecycle
from assistants.domain.run import RunStatus

STATUSES: tuple[RunStatus, ...] = get_args(RunStatus)

LEGAL: dict[str, set[str]] = {
    "queued": {"in_progress", "cancelling", "expired", "failed"},
    "in_progress": {
        "completed",
        "failed",
        "incomplete",
        "requires_action",
        "cancelling",
        "expired",
    },
    "requires_action": {"queued", "cancelling", "expired"},
    "cancelling": {"cancelled", "completed", "failed", "expired"},
}


@pytest.mark.parametrize("before", STATUSES)
@pytest.mark.parametrize("after", STATUSES)
def test_exactly_the_documented_changes_are_legal(before: RunStatus, after: RunStatus) -> None:
    if after in LEGAL.get(before, set()):
        lifecycle.check(before, after)
    else:
        with pytest.raises(
            lifecycle.IllegalTransitionError, match=f"{before} cannot become {after}"
        ):
            lifecycle.check(before, after)


def test_five_statuses_are_final() -> None:
    assert set(STATUSES) - set(LEGAL) == lifecycle.TERMINAL
    assert len(lifecycle.TERMINAL) == 5


def test_every_status_leads_to_a_final_one() -> None:
    for status in STATUSES:
        assert status in lifecycle.TERMINAL or lifecycle.TRANSITIONS[status] & lifecycle.TERMINAL


@pytest.mark.parametrize(
    ("status", "stamps"),
    [
        ("queued", {}),
        ("in_progress", {"started_at": 7}),
        ("requires_action", {}),
        ("cancelling", {}),
        ("completed", {"completed_at": 7, "expires_at": None, "required_action": None}),
        ("failed", {"failed_at": 7, "expires_at": None, "required_action": None}),
        ("cancelled", {"cancelled_at": 7, "expires_at": None, "required_action": None}),
        ("incomplete", {"expires_at": None, "required_action": None}),
        ("expired", {"required_action": None}),
    ],
)
def test_each_status_leaves_its_time(status: RunStatus, stamps: dict[str, object]) -> None:
    assert lifecycle.stamps(status, 7) == stamps
