"""The journal of a run: what happened, in order, from which every stream is told.

An append-only list of records. Sequence numbers have no gaps, because an append is conditional on
its number being free: whoever collides reads on, and learns that it was cancelled or superseded.
"""

from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, Literal

Control = Literal["open", "interrupt"]


@dataclass(frozen=True, slots=True)
class Event:
    """One event of the stream. `data` is the whole object when the event creates it, the delta
    when it is one, and else only the members that changed.
    """

    name: str
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Record:
    """What one append wrote. `author` is the one who wrote it; `control` is `open` when a worker
    begins a turn and `interrupt` when a cancel or an expiry ends whatever is at work.
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
    """The state that a run's events add up to: the run, and its steps and messages by id."""

    run: dict[str, Any]
    objects: dict[str, dict[str, Any]] = field(default_factory=dict)

    def apply(self, event: Event) -> dict[str, Any]:
        """Take one event in; returns its data as a client receives it: whole objects and deltas."""
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

    def open_objects(self, kind: str) -> list[dict[str, Any]]:
        """Steps (`thread.run.step`) or messages (`thread.message`) that are still in progress."""
        return [
            known
            for known in self.objects.values()
            if known["object"] == kind and known["status"] == "in_progress"
        ]


def accumulate(known: dict[str, Any], delta: dict[str, Any]) -> None:
    """Add a delta to an object, by the rules the SDKs apply: strings are joined, lists are merged
    by `index`, `type` is replaced. Objects hold no `index`, so none is kept.
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
