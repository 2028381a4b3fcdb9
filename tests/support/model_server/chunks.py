"""Chat completions as OpenAI-compatible providers send them: chunks of a stream, or one whole.

The shapes are `chat.completion.chunk` and `chat.completion` of OpenAI's API reference.
"""

import time
from collections.abc import Iterator
from typing import Any

from tests.support.model_server.script import Call, Calls, Part, Refusal, Text, Turn

Delta = dict[str, Any]

OPENING: Delta = {"role": "assistant", "content": "", "refusal": None}
"""The delta before the first piece of content."""


def deltas(part: Part) -> Iterator[Delta]:
    """Yield the deltas of a part; only parts with content have any."""
    match part:
        case Text(fragments=fragments):
            yield from ({"content": fragment} for fragment in fragments)
        case Refusal(fragments=fragments):
            yield from ({"refusal": fragment} for fragment in fragments)
        case Calls(calls=calls):
            for index, call in enumerate(calls):
                yield from ({"tool_calls": [fragment]} for fragment in _fragments(index, call))


def _fragments(index: int, call: Call) -> Iterator[Delta]:
    """Yield a call as providers stream it: id and name first, then the arguments in pieces."""
    opening = {"name": call.name, "arguments": ""}
    yield {"index": index, "id": call.id, "type": "function", "function": opening}
    text = call.arguments_text
    middle = len(text) // 2
    for piece in filter(None, (text[:middle], text[middle:])):
        yield {"index": index, "function": {"arguments": piece}}


def chunk(completion_id: str, model: str, delta: Delta, finish: str | None = None) -> Delta:
    """Make one `chat.completion.chunk` with one choice."""
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    return {
        "id": completion_id,
        "object": "chat.completion.chunk",
        "created": int(time.time()),
        "model": model,
        "system_fingerprint": "fp_scripted",
        "choices": [choice],
    }


def usage(turn: Turn) -> dict[str, int]:
    """Return the token counts that the turn claims."""
    total = turn.prompt_tokens + turn.completion_tokens
    return {
        "prompt_tokens": turn.prompt_tokens,
        "completion_tokens": turn.completion_tokens,
        "total_tokens": total,
    }


def completion(completion_id: str, model: str, turn: Turn) -> Delta:
    """Return the whole turn as one `chat.completion`, for requests without `stream`."""
    message: Delta = {"role": "assistant", "content": None, "refusal": None}
    for part in turn.parts:
        match part:
            case Text(fragments=fragments):
                message["content"] = (message["content"] or "") + "".join(fragments)
            case Refusal(fragments=fragments):
                message["refusal"] = (message["refusal"] or "") + "".join(fragments)
            case Calls(calls=calls):
                message["tool_calls"] = [_whole(call) for call in calls]
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": turn.finish}
    return {
        "id": completion_id,
        "object": "chat.completion",
        "created": int(time.time()),
        "model": model,
        "system_fingerprint": "fp_scripted",
        "choices": [choice],
        "usage": usage(turn),
    }


def _whole(call: Call) -> Delta:
    function = {"name": call.name, "arguments": call.arguments_text}
    return {"id": call.id, "type": "function", "function": function}
