"""The one way to change a run: decided on what is there, written at once or not at all."""

from typing import Any

import pytest

from assistants.domain import lifecycle
from assistants.domain.journal import Event, Record
from assistants.ports.table import ConflictError
from assistants.services.runs.repository import Change, LoadedRun
from tests.support.deployment import Deployment, path
from tests.support.racing_table import RacingTable


def loaded(deployment: Deployment, run: dict[str, Any]) -> LoadedRun:
    return deployment.backend.runs.repository.load(deployment.ref(run))


@pytest.mark.parametrize("status", ["completed", "requires_action", "queued", "cancelled"])
def test_a_status_that_may_not_follow_is_refused_and_nothing_is_written(status: Any) -> None:
    deployment = Deployment(machine=False)
    run = deployment.run()
    before = dict(deployment.table.rows)
    with pytest.raises(lifecycle.IllegalTransitionError):
        deployment.backend.runs.repository.commit(loaded(deployment, run), Change(status=status))
    assert deployment.table.rows == before


def test_a_change_of_what_has_moved_is_a_conflict_and_nothing_is_written() -> None:
    deployment = Deployment(machine=False)
    run = deployment.run()
    stale = loaded(deployment, run)
    deployment.cancel(run)
    before = dict(deployment.table.rows)
    with pytest.raises(ConflictError):
        deployment.backend.runs.repository.commit(stale, Change(status="in_progress"))
    assert deployment.table.rows == before


def test_nothing_is_appended_between_what_is_decided_on_and_the_change() -> None:
    """Else two workers could both believe that nothing was shown of a turn."""
    table = RacingTable()
    deployment = Deployment(machine=False, table=table)
    run = deployment.run()
    ref = deployment.ref(run)
    journal, seen = deployment.backend.runs.journal, list[int]()

    def append() -> None:
        number = journal.tail(ref) + 1
        table.commit(journal.entry(ref, number, Record("other", (Event("thread.run.queued", {}),))))

    rivals = [lambda: deployment.api.post(path(run), {"metadata": {"a": "b"}}), append]

    def decide(_: LoadedRun) -> Change:
        seen.append(len(journal.read(ref, 0)))
        if rivals:
            table.rival = rivals.pop(0)
        return Change(status="in_progress")

    changed = deployment.backend.runs.repository.change(deployment.ref(run), decide)
    assert seen == [1, 1, 2]
    assert changed.state.sequence == 2
    assert deployment.again(run)["metadata"] == {"a": "b"}


def test_the_lock_of_another_run_is_never_removed() -> None:
    deployment = Deployment(["One"], [], machine=False)
    first = deployment.run()
    deployment.turn(first)
    second = deployment.run(first["thread_id"])
    deployment.finish(first)
    assert not deployment.is_free(second["thread_id"])


def test_what_only_the_service_knows_of_a_run_is_never_shown() -> None:
    deployment = Deployment(machine=False)
    run = deployment.run(stream=None)
    state = loaded(deployment, run).state.model_dump()
    hidden = set(state) - set(run)
    assert {"deadline", "watched", "sequence", "turn"} <= hidden
    answer = deployment.api.request("GET", f"{path(run)}/events")
    for event in answer.events[:1]:
        assert not hidden & set(event.data)
