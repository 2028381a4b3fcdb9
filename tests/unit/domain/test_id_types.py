"""Ids of different kinds cannot be swapped: `make lint` fails where mypy lets one of these pass.

`warn_unused_ignores` is on, so each `type: ignore` below insists on the error that it names.
"""

from assistants.domain.ids import RUN, THREAD, ProjectId, RunRef, new_id
from assistants.services.runs.service import Runs
from assistants.services.storage import keys
from assistants.services.threads.service import Threads

PROJECT = ProjectId("acme")


def test_a_thread_is_not_taken_for_a_project() -> None:
    thread_id = new_id(THREAD)
    swapped = keys.thread(thread_id, PROJECT)  # type: ignore[arg-type]
    assert swapped != keys.thread(PROJECT, thread_id)


def test_a_run_is_not_taken_for_a_thread() -> None:
    thread_id, run_id = new_id(THREAD), new_id(RUN)
    swapped = RunRef(PROJECT, run_id, thread_id)  # type: ignore[arg-type]
    assert swapped != RunRef(PROJECT, thread_id, run_id)


def of_another_tenant(threads: Threads, runs: Runs, ref: RunRef) -> None:
    """Never called: mypy alone reads it."""
    threads.get(ref.thread_id, ref.project)  # type: ignore[arg-type]
    threads.get("acme", ref.thread_id)  # type: ignore[arg-type]
    runs.get((ref.project, ref.thread_id, ref.run_id))  # type: ignore[arg-type]
