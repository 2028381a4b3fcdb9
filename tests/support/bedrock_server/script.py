"""The vocabulary of a scripted Bedrock: events of ConverseStream, and failures."""

from dataclasses import dataclass
from typing import Any

Event = dict[str, Any]
"""One event, `{"messageStart": {"role": "assistant"}}`."""

_USAGE = {"inputTokens": 11, "outputTokens": 7, "totalTokens": 18}


@dataclass(frozen=True)
class Fault:
    """An exception among the events."""

    kind: str
    message: str = "The scripted service fails."


@dataclass(frozen=True)
class Broken:
    """Bytes that are no event, or none at all; then the connection is cut."""

    content: bytes = b""


@dataclass(frozen=True)
class Refused:
    """An answer that is no stream."""

    status: int
    kind: str
    message: str = "The scripted service refuses."


Answer = list[Event | Fault | Broken] | Refused


def said(*fragments: str, stop: str = "end_turn") -> Answer:
    """Make an answer in text, with one delta for each fragment."""
    return [*_text(0, *fragments), *ended(stop)]


def called(*calls: tuple[str, str, list[str]], saying: str = "", stop: str = "tool_use") -> Answer:
    """Make an answer that calls tools, each given as id, name and the fragments of its input."""
    events: list[Event | Fault | Broken] = [*_text(0, saying)] if saying else []
    first = 1 if saying else 0
    for index, (id, name, fragments) in enumerate(calls, first):
        start = {"toolUse": {"toolUseId": id, "name": name}}
        events.append({"contentBlockStart": {"contentBlockIndex": index, "start": start}})
        events += [_delta(index, {"toolUse": {"input": fragment}}) for fragment in fragments]
        events.append({"contentBlockStop": {"contentBlockIndex": index}})
    return [*events, *ended(stop)]


def ended(stop: str, **usage: int) -> list[Event | Fault | Broken]:
    """Make the end of an answer."""
    metadata = {"usage": {**_USAGE, **usage}, "metrics": {"latencyMs": 1}}
    return [{"messageStop": {"stopReason": stop}}, {"metadata": metadata}]


def _text(index: int, *fragments: str) -> list[Event | Fault | Broken]:
    return [
        {"messageStart": {"role": "assistant"}},
        *(_delta(index, {"text": fragment}) for fragment in fragments),
        {"contentBlockStop": {"contentBlockIndex": index}},
    ]


def _delta(index: int, delta: Event) -> Event:
    return {"contentBlockDelta": {"contentBlockIndex": index, "delta": delta}}
