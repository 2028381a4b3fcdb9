"""The journal of a run: an append-only list of its events, the source of every stream.

Sequence numbers have no gaps, because an append requires that its number is free. A writer whose
append conflicts reads the newer records, and so learns that it was interrupted or superseded.
"""

from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, Literal

from assistants.domain.events import EventName, EventSubject

Control = Literal["open", "interrupt"]


@dataclass(frozen=True, slots=True)
class Event:
    """One event of the stream.

    `data` is the whole object in an event that creates it, `{id, delta}` in a delta, and otherwise
    the members that changed.
    """

    name: EventName
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Record:
    """The events of one append.

    `author` identifies the writer. `control` is `open` when a worker begins a turn, and `interrupt`
    when a cancel or an expiry ends the work in progress.
    """

    author: str
    events: tuple[Event, ...] = ()
    control: Control | None = None

    def to_body(self) -> dict[str, Any]:
        return {
            "author": self.author,
            "control": self.control,
            "events": [[event.name, event.data] for event in self.events],
        }

    @classmethod
    def from_body(cls, body: dict[str, Any]) -> "Record":
        events = tuple(Event(name, data) for name, data in body["events"])
        return cls(author=body["author"], control=body["control"], events=events)


@dataclass(slots=True)
class RunProjection:
    """The state that results from a run's events: the run, and its steps and messages by id."""

    run: dict[str, Any]
    objects: dict[str, dict[str, Any]] = field(default_factory=dict)

    def apply(self, event: Event) -> dict[str, Any]:
        """Apply an event; return its data as a client receives it: a whole object, or a delta."""
        if event.name.endswith(".delta"):
            accumulate(self.objects[event.data["id"]], event.data["delta"])
            return {"id": event.data["id"], "object": event.name, "delta": event.data["delta"]}
        if event.name == "thread.created":
            return event.data
        if event.name.startswith(("thread.run.step.", "thread.message.")):
            known = self.objects.setdefault(event.data["id"], {})
            known.update(deepcopy(event.data))
            return dict(known)
        self.run.update(event.data)
        return dict(self.run)

    def open_objects(self, subject: EventSubject) -> list[dict[str, Any]]:
        """Return the steps or the messages that are still in progress."""
        return [
            known
            for known in self.objects.values()
            if known["object"] == subject and known["status"] == "in_progress"
        ]


def accumulate(known: dict[str, Any], delta: dict[str, Any]) -> None:
    """Add a delta to an object, in place, by the rules of the SDKs.

    Strings are concatenated, lists are merged by `index`, `type` is replaced. The API's objects
    have no `index`, so it is dropped.
    """
    for name, value in delta.items():
        before = known.get(name)
        if name == "type" or before is None:
            known[name] = _without_index(value)
        elif isinstance(value, str):
            known[name] = before + value
        elif isinstance(value, dict):
            accumulate(before, value)
        elif isinstance(value, list):
            _merge(before, value)
        else:
            known[name] = value


def _merge(known: list[dict[str, Any]], fragments: list[dict[str, Any]]) -> None:
    for fragment in fragments:
        index = fragment["index"]
        if index == len(known):
            known.append(_without_index(fragment))
        else:
            rest = {name: value for name, value in fragment.items() if name != "index"}
            accumulate(known[index], rest)


def _without_index(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_index(item) for name, item in value.items() if name != "index"}
    if isinstance(value, list):
        return [_without_index(item) for item in value]
    return value
