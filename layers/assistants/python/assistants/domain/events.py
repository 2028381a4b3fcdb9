"""The names of a run's stream events, as OpenAI's `AssistantStreamEvent` lists them.

`error`, which ends a broken stream, is not among them: `http/events.py` sends it.
"""

from typing import Final, Literal, get_args

EventName = Literal[
    "thread.created",
    "thread.run.created",
    "thread.run.queued",
    "thread.run.in_progress",
    "thread.run.requires_action",
    "thread.run.completed",
    "thread.run.incomplete",
    "thread.run.failed",
    "thread.run.cancelling",
    "thread.run.cancelled",
    "thread.run.expired",
    "thread.run.step.created",
    "thread.run.step.in_progress",
    "thread.run.step.delta",
    "thread.run.step.completed",
    "thread.run.step.failed",
    "thread.run.step.cancelled",
    "thread.run.step.expired",
    "thread.message.created",
    "thread.message.in_progress",
    "thread.message.delta",
    "thread.message.completed",
    "thread.message.incomplete",
]
# The `object` member of the API's objects, with which the names of their events begin.
EventSubject = Literal["thread.run", "thread.run.step", "thread.message"]
RUN_OBJECT: Final = "thread.run"
STEP_OBJECT: Final = "thread.run.step"
MESSAGE_OBJECT: Final = "thread.message"
_NAMES: dict[str, EventName] = {name: name for name in get_args(EventName)}


def event_name(subject: EventSubject, change: str) -> EventName:
    """Return the name of the event that creates a subject (`created`), adds to it (`delta`) or
    gives it a new status (any status).

    Raises `KeyError` for a change that the API has no event for.
    """
    return _NAMES[f"{subject}.{change}"]
