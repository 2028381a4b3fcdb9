"""Converts the events of Bedrock's ConverseStream to deltas."""

from collections.abc import Iterable, Iterator
from typing import Any

from assistants.domain.run import Usage
from assistants.ports.chat_model import (
    Delta,
    FinishDelta,
    FinishReason,
    ModelError,
    TextDelta,
    ToolCallDelta,
)

_FINISH: dict[str, FinishReason] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "content_filtered": "content_filter",
    "guardrail_intervened": "content_filter",
}


def deltas(events: Iterable[dict[str, Any]], *, parallel_calls: bool) -> Iterator[Delta]:
    """Yield text and calls, without the model's reasoning.

    Converse has no option for one call at a time. Without `parallel_calls` only the first call of a
    turn is kept; the model sees its result and can make the other calls then.

    Raises `ModelError` for an answer without an end.
    """
    calls = _Calls(parallel=parallel_calls)
    finished = False
    for event in events:
        match event:
            case {"messageStop": {"stopReason": reason}}:
                finished = True
                yield FinishDelta(reason=_finish_reason(reason))
            case {"metadata": {"usage": usage}}:
                yield FinishDelta(usage=_usage(usage))
            case _:
                yield from _of_block(event, calls)
    if not finished:
        raise ModelError("server_error", "The model's answer broke off.")


def _of_block(event: dict[str, Any], calls: "_Calls") -> Iterator[Delta]:
    match event:
        case {"contentBlockStart": {"contentBlockIndex": index, "start": {"toolUse": call}}}:
            yield from calls.begin(index, call)
        case {"contentBlockDelta": {"delta": {"text": text}}} if text:
            yield TextDelta(text)
        case {"contentBlockDelta": {"contentBlockIndex": index, "delta": {"toolUse": call}}}:
            yield from calls.go_on(index, call["input"])
        case {"contentBlockStop": {"contentBlockIndex": index}}:
            yield from calls.end(index)


class _Calls:
    """The calls of one turn: for the index of each content block, whether it has arguments."""

    def __init__(self, *, parallel: bool) -> None:
        self._parallel = parallel
        self._open: dict[int, bool] = {}

    def begin(self, index: int, call: dict[str, Any]) -> Iterator[Delta]:
        if self._parallel or not self._open:
            self._open[index] = False
            yield ToolCallDelta(index, id=call["toolUseId"], name=call["name"])

    def go_on(self, index: int, arguments: str) -> Iterator[Delta]:
        if index in self._open and arguments:
            self._open[index] = True
            yield ToolCallDelta(index, arguments=arguments)

    def end(self, index: int) -> Iterator[Delta]:
        if self._open.get(index) is False:  # no arguments, which clients could not parse as JSON
            yield ToolCallDelta(index, arguments="{}")


def _finish_reason(reason: str) -> FinishReason:
    if reason not in _FINISH:
        raise ModelError("server_error", f"The model stopped with '{reason}'.")
    return _FINISH[reason]


def _usage(usage: dict[str, int]) -> Usage:
    """Return the usage. Tokens read from or written to a cache count as prompt tokens."""
    cached = usage.get("cacheReadInputTokens", 0) + usage.get("cacheWriteInputTokens", 0)
    prompt, completion = usage["inputTokens"] + cached, usage["outputTokens"]
    return Usage(
        prompt_tokens=prompt, completion_tokens=completion, total_tokens=prompt + completion
    )
