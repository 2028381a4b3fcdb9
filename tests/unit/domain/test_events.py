"""The names of stream events."""

from typing import get_args

import pytest
from openai.types.beta.assistant_stream_event import AssistantStreamEvent

from assistants.domain.events import (
    MESSAGE_OBJECT,
    RUN_OBJECT,
    STEP_OBJECT,
    EventName,
    event_name,
)
from assistants.domain.lifecycle import TRANSITIONS


def test_the_names_are_those_of_the_sdk() -> None:
    union, *_ = get_args(AssistantStreamEvent)
    names = {get_args(kind.model_fields["event"].annotation)[0] for kind in get_args(union)}
    assert set(get_args(EventName)) == names - {"error"}


@pytest.mark.parametrize("status", TRANSITIONS)
def test_every_status_of_a_run_has_its_event(status: str) -> None:
    assert event_name(RUN_OBJECT, status) == f"thread.run.{status}"


def test_steps_and_messages_are_created_grow_and_end() -> None:
    assert event_name(STEP_OBJECT, "created") == "thread.run.step.created"
    assert event_name(MESSAGE_OBJECT, "delta") == "thread.message.delta"
    assert event_name(MESSAGE_OBJECT, "incomplete") == "thread.message.incomplete"


def test_a_change_without_an_event_is_refused() -> None:
    with pytest.raises(KeyError, match=r"thread\.message\.failed"):
        event_name(MESSAGE_OBJECT, "failed")
