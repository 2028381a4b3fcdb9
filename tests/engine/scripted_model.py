"""What the model says in a run of the interleavings: drawn before, played beat by beat."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from assistants.domain.run import Usage
from assistants.ports.chat_model import (
    Delta,
    FinishDelta,
    ModelError,
    ModelRequest,
    TextDelta,
    ToolCallDelta,
)
from assistants.services.turns.flush_timer import Tick
from tests.engine.schedule import stop

Beat = Literal["word", "word, written", "silence, a look"]
Ending = Literal[
    "stop",
    "length",
    "content_filter",
    "one call",
    "two calls",
    "code",
    "code and call",
    "half a call",
    "error",
    "defect",
]
_numbers = itertools.count(1)


class Defect(Exception):
    """What nobody expected of a provider: the invocation fails."""


@dataclass(frozen=True)
class Turn:
    beats: tuple[Beat, ...]
    ending: Ending


@dataclass
class Asked:
    """One request to the model: the words it was to say, each of which exists only once."""

    turn: Turn
    words: list[str]
    messages: list[dict[str, object]]


@dataclass
class Play:
    """The turns of one run; after the last one the model says `fine` and stops."""

    turns: list[Turn]
    asked: list[Asked] = field(default_factory=list)

    def next(self, request: ModelRequest) -> Asked:
        number = len(self.asked)
        turn = self.turns[number] if number < len(self.turns) else Turn(("word",), "stop")
        words = [f"<{next(_numbers)}>" for beat in turn.beats if beat.startswith("word")]
        asked = Asked(turn, words, list(request.messages))
        self.asked.append(asked)
        return asked


class Theatre:
    """All plays, each found by the instructions of its run."""

    def __init__(self) -> None:
        self.plays: dict[str, Play] = {}

    def stream(self, request: ModelRequest) -> Iterator[Delta]:
        asked = self.plays[request.messages[0]["content"]].next(request)
        words = iter(_with_markers(asked.words))
        for beat in asked.turn.beats:
            stop("the model")
            yield Said(next(words) if beat.startswith("word") else "", beat)
        stop("the model's end")
        yield from _end(asked.turn.ending)


@dataclass(frozen=True)
class Said(TextDelta):
    """A word with what the pacing is to do about it."""

    beat: Beat


def _with_markers(words: list[str]) -> list[str]:
    """Between two words stands the marker of a passage that nobody was shown, in two halves."""
    halves = itertools.chain([""], itertools.repeat("7:7†a.pdf】"))
    return [f"{half}{word}【" for half, word in zip(halves, words, strict=False)]


def _end(ending: Ending) -> Iterator[Delta]:
    usage = Usage(prompt_tokens=3, completion_tokens=2, total_tokens=5)
    match ending:
        case "error":
            raise ModelError("rate_limit_exceeded", "The provider is tired.")
        case "defect":
            raise Defect
        case "half a call":
            yield _call(0)
            raise ModelError("server_error", "The provider broke off.")
        case "stop" | "length" | "content_filter":
            yield FinishDelta(ending, usage)
        case _:
            yield from _CALLS[ending]
            yield FinishDelta("tool_calls", usage)


def _call(index: int) -> ToolCallDelta:
    return ToolCallDelta(index, id=f"given_{index}", name="weather", arguments="{}")


def _code(index: int) -> ToolCallDelta:
    arguments = '{"code": "6 * 7"}'
    return ToolCallDelta(index, id=f"given_{index}", name="code_interpreter", arguments=arguments)


_CALLS: dict[Ending, list[ToolCallDelta]] = {
    "one call": [_call(0)],
    "two calls": [_call(0), _call(1)],
    "code": [_code(0), _code(1)],
    "code and call": [_code(0), _call(1)],
}


def by_beats(deltas: Iterator[Delta], *, watched: bool, clock: object) -> Iterator[Tick]:
    """The pacing without its thread and its clock: the play says when to write and to look."""
    for delta in deltas:
        beat = delta.beat if isinstance(delta, Said) else "word"
        written = beat == "word, written" or isinstance(delta, ToolCallDelta)
        silent = beat == "silence, a look"
        yield Tick(None if silent else delta, flush=written, check=silent)
