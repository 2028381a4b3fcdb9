"""A model that says what a script holds for each run, piece by piece."""

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

Piece = Literal["word", "word, flushed", "silence, checked"]
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


class UnforeseenError(Exception):
    """An error that no code expects of a provider: the invocation fails."""


@dataclass(frozen=True)
class Turn:
    pieces: tuple[Piece, ...]
    ending: Ending


@dataclass
class Reply:
    """The model's reply to one request. Each of its words exists only once."""

    turn: Turn
    words: list[str]
    messages: list[dict[str, object]]


@dataclass
class Script:
    """The turns of one run; after the last one the model says a word and stops."""

    turns: list[Turn]
    replies: list[Reply] = field(default_factory=list)

    def next(self, request: ModelRequest) -> Reply:
        number = len(self.replies)
        turn = self.turns[number] if number < len(self.turns) else Turn(("word",), "stop")
        words = [f"<{next(_numbers)}>" for piece in turn.pieces if piece.startswith("word")]
        reply = Reply(turn, words, list(request.messages))
        self.replies.append(reply)
        return reply


class ScriptedModel:
    """Finds the script of a run by the run's instructions."""

    def __init__(self) -> None:
        self.scripts: dict[str, Script] = {}

    def stream(self, request: ModelRequest) -> Iterator[Delta]:
        reply = self.scripts[request.messages[0]["content"]].next(request)
        words = iter(_with_markers(reply.words))
        for piece in reply.turn.pieces:
            stop("the model")
            yield ScriptedText(next(words) if piece.startswith("word") else "", piece)
        stop("the model's end")
        yield from _end(reply.turn.ending)


@dataclass(frozen=True)
class ScriptedText(TextDelta):
    """A piece of text, and whether it is flushed."""

    piece: Piece


def _with_markers(words: list[str]) -> list[str]:
    """Put between two words the marker of a passage that no search found, in two halves."""
    halves = itertools.chain([""], itertools.repeat("7:7†a.pdf】"))
    return [f"{half}{word}【" for half, word in zip(halves, words, strict=False)]


def _end(ending: Ending) -> Iterator[Delta]:
    usage = Usage(prompt_tokens=3, completion_tokens=2, total_tokens=5)
    match ending:
        case "error":
            raise ModelError("rate_limit_exceeded", "The provider is tired.")
        case "defect":
            raise UnforeseenError
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


def scripted_ticks(deltas: Iterator[Delta], *, watched: bool, clock: object) -> Iterator[Tick]:
    """Replace the flush timer and its clock: the script says when to flush and to check."""
    for delta in deltas:
        piece = delta.piece if isinstance(delta, ScriptedText) else "word"
        flushed = piece == "word, flushed" or isinstance(delta, ToolCallDelta)
        silent = piece == "silence, checked"
        yield Tick(None if silent else delta, flush=flushed, check=silent)
