"""A reader of run streams that is as strict as the strictest SDK."""

import copy
import re
from collections.abc import Iterable
from typing import Any

from openai.lib.streaming._deltas import accumulate_delta

from tests.support.api_client import Event

STEP = "thread.run.step"
MESSAGE = "thread.message"
_OPENING = ("created", "in_progress")
_ENDS = frozenset(
    f"thread.run.{status}"
    for status in ("completed", "failed", "incomplete", "cancelled", "expired", "requires_action")
)


class StreamReader:
    """Takes events in and asserts the rules of the Node SDK, which are the stricter ones: one step
    and one message open at a time, no id made twice, deltas only for what is open, indexes without
    gaps, and a last state that is what the deltas add up to.
    """

    def __init__(self) -> None:
        self.objects: dict[str, dict[str, Any]] = {}
        self._open: dict[str, str] = {}
        self._ended = False

    def read(self, events: Iterable[Event]) -> None:
        for event in events:
            assert not self._ended, f"{event.name} after the end"
            self._take(event)

    def _take(self, event: Event) -> None:
        name, data = event
        kind, _, change = name.rpartition(".")
        if name in _ENDS:
            self._ended = True
            assert data["status"] == change
            assert set(self._open) <= ({STEP} if change == "requires_action" else set())
        elif change == "delta":
            self._add(kind, data)
        elif kind in (STEP, MESSAGE):
            self._change(kind, change, data)

    def _change(self, kind: str, change: str, data: dict[str, Any]) -> None:
        assert data["object"] == kind
        if change == "created":
            assert kind not in self._open, f"two open {kind}"
            assert data["id"] not in self.objects, "an id was made twice"
            self._open[kind] = data["id"]
        elif kind in self._open:
            assert self._open[kind] == data["id"], f"{change} of a {kind} that is not open"
        else:  # the step of an earlier stream, which this one ends
            assert kind == STEP
            assert change not in _OPENING
            return
        status = "in_progress" if change in _OPENING else change
        assert data["status"] == status
        if status != "in_progress":
            del self._open[kind]
            self._compare(kind, data)
        self.objects[data["id"]] = copy.deepcopy(data)

    def _add(self, kind: str, data: dict[str, Any]) -> None:
        assert set(data) == {"id", "object", "delta"}
        assert data["object"] == f"{kind}.delta"
        assert self._open.get(kind) == data["id"], f"a delta of a {kind} that is not open"
        known: dict[Any, Any] = self.objects[data["id"]]
        _check_indexes(known, data["delta"])
        added: dict[Any, Any] = accumulate_delta(known, copy.deepcopy(data["delta"]))
        self.objects[data["id"]] = added

    def _compare(self, kind: str, data: dict[str, Any]) -> None:
        member = "content" if kind == MESSAGE else "step_details"
        assert _without_index(self.objects[data["id"]][member]) == data[member]


def _check_indexes(known: Any, delta: Any) -> None:
    for name, value in delta.items():
        if isinstance(value, list):
            before = known.get(name) or []
            for entry in value:
                assert entry["index"] <= len(before), f"a gap in {name}"
                if entry["index"] < len(before):
                    assert not {"id", "name"} & set(entry), "an id or name was sent twice"
                    _check_indexes(before[entry["index"]], entry)
        elif isinstance(value, dict):
            _check_indexes(known.get(name) or {}, value)


def _without_index(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_index(item) for name, item in value.items() if name != "index"}
    return [_without_index(item) for item in value] if isinstance(value, list) else value


def order(events: Iterable[Event]) -> str:
    """Join the names, shortened: `run.queued step.…`, each unbroken series of deltas as one."""
    names: list[str] = []
    for event in events:
        name = re.sub(r"^thread\.(run\.step|run|message)\.", lambda m: _SHORT[m[1]], event.name)
        if not (name.endswith(".delta") and names and names[-1] == name):
            names.append(name)
    return " ".join(names)


_SHORT = {"run.step": "step.", "run": "run.", "message": "message."}

RUN_BEGINS = "run.created run.queued run.in_progress"
STEP_BEGINS = "step.created step.in_progress"
MESSAGE_BEGINS = f"{STEP_BEGINS} message.created message.in_progress message.delta"
MESSAGE_STEP = f"{MESSAGE_BEGINS} message.completed step.completed"
CALLS_STEP = f"{STEP_BEGINS} step.delta"
