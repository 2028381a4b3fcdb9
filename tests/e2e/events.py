"""Server-sent events as they arrive on the wire, read without an SDK."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import httpx2

RUN_BEGINS = ["thread.run.created", "thread.run.queued", "thread.run.in_progress"]
STEP_BEGINS = ["thread.run.step.created", "thread.run.step.in_progress"]
MESSAGE_BEGINS = ["thread.message.created", "thread.message.in_progress"]
MESSAGE_STEP = [
    *STEP_BEGINS,
    *MESSAGE_BEGINS,
    "thread.message.delta",
    "thread.message.completed",
    "thread.run.step.completed",
]
CALL_STEP = [*STEP_BEGINS, "thread.run.step.delta", "thread.run.requires_action"]


class Event(NamedTuple):
    """One frame: its name, and its data parsed (`done` carries the text `[DONE]`)."""

    name: str
    data: Any


def post_stream(raw: httpx2.Client, path: str, body: Mapping[str, Any]) -> list[Event]:
    """POST with `stream: true`, and return all events."""
    with raw.stream("POST", path, json={**body, "stream": True}) as response:
        assert response.status_code == 200, response.read()
        assert response.headers["content-type"].startswith("text/event-stream")
        return list(events(response))


def events(response: httpx2.Response) -> Iterator[Event]:
    """Read frames of `event: NAME`, `data: ONE LINE` and a blank line; skip comments and ids."""
    name = ""
    for line in response.iter_lines():
        field, _, value = line.partition(": ")
        if field == "event":
            name = value
        elif field == "data":
            yield Event(name, value if name == "done" else json.loads(value))


def order(received: list[Event]) -> list[str]:
    """Join the events' names, each unbroken series of deltas reduced to one."""
    names: list[str] = []
    for name, _ in received:
        if not (name.endswith(".delta") and names and names[-1] == name):
            names.append(name)
    return names


def named(received: list[Event], name: str) -> list[Any]:
    """Return the data of all events of that name."""
    return [data for event_name, data in received if event_name == name]
