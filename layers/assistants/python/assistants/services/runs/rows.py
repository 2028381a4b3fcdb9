"""The rows of a run's steps and messages."""

from typing import Any

from assistants.domain.events import STEP_OBJECT
from assistants.domain.journal import Event
from assistants.ports.table import Row, Save
from assistants.services.runs.repository import LoadedRun
from assistants.services.storage import keys


def row_of(run: LoadedRun, known: dict[str, Any]) -> Row:
    """Return the row of a step or a message of this run."""
    if known["object"] == STEP_OBJECT:
        return Row(keys.step(run.ref, known["id"]), known)
    return Row(keys.message(run.project, run.settings.thread_id, known["id"]), known)


def saves(
    run: LoadedRun, events: tuple[Event, ...], objects: list[dict[str, Any]]
) -> tuple[Save, ...]:
    """Return the writes that go with these events: the objects, and a pointer for each message that
    they create, by which `messages?run_id=` finds it.
    """
    pointers = (
        Row(
            keys.message_of_run(run.ref, event.data["id"]),
            {"id": event.data["id"]},
        )
        for event in events
        if event.name == "thread.message.created"
    )
    return tuple(Save(row) for row in (*(row_of(run, known) for known in objects), *pointers))
