"""The demo model: a deterministic program that needs no key and no network."""

import json
import re
from collections.abc import Iterator
from typing import Any

from assistants.adapters.models.demo_calls import Calls, calls, example
from assistants.domain.hosted_tools.code_interpreter import CODE_INTERPRETER
from assistants.domain.hosted_tools.file_search import FILE_SEARCH
from assistants.domain.run import Usage
from assistants.ports.chat_model import Delta, FinishDelta, ModelRequest, TextDelta, ToolCallDelta

INTRODUCTION = (
    "I am the demo model of Serverless Assistants: a small program without any intelligence, here "
    "so that you can try the API without a key. "
)
_PASSAGE = re.compile(r"^(【[^】]*】)\n((?:(?!^【).)*)", re.DOTALL | re.MULTILINE)
_QUOTED = 2  # passages, of so many characters each
_LENGTH = 240


class DemoModel:
    """Implement `ChatModel`.

    It calls an offered function that the last message names or `tool_choice` demands. If it can, it
    has Python and plain calculations executed, and searches for any other text. Otherwise it
    introduces itself and repeats the message, word by word.
    """

    def stream(self, request: ModelRequest) -> Iterator[Delta]:
        last = request.messages[-1] if request.messages else {"role": "user", "content": ""}
        chosen = [] if last["role"] == "tool" else calls(request, _text(last))
        prompt = sum(len(_words(_text(message))) for message in request.messages)
        if chosen:
            yield from _call(chosen)
            completion = len(chosen)
        else:
            words = _words(_formatted(request, _answer(request, last)))
            yield from (TextDelta(word) for word in words)
            completion = len(words)
        usage = Usage(
            prompt_tokens=prompt, completion_tokens=completion, total_tokens=prompt + completion
        )
        yield FinishDelta("tool_calls" if chosen else "stop", usage)


def _call(chosen: Calls) -> Iterator[Delta]:
    for index, (name, arguments) in enumerate(chosen):
        yield ToolCallDelta(index, id=f"demo_{index}", name=name)
        written = json.dumps(arguments)
        for start in range(0, len(written), 8):
            yield ToolCallDelta(index, arguments=written[start : start + 8])


def _formatted(request: ModelRequest, answer: str) -> str:
    """Return the answer in the format that the request asks for."""
    match request.options.get("response_format"):
        case {"type": "json_object"}:
            return json.dumps({"answer": answer})
        case {"type": "json_schema", "json_schema": {"schema": schema}}:
            return json.dumps(example(schema))
        case _:
            return answer


def _answer(request: ModelRequest, last: dict[str, Any]) -> str:
    if last["role"] != "tool":
        return f"{INTRODUCTION}You said: {_text(last)}"
    outputs: dict[str, list[str]] = {}
    for name, output in _outputs(request.messages):
        outputs.setdefault(name if name in _WORDED else "", []).append(output)
    sentences = [_WORDED[name](texts) for name, texts in outputs.items()]
    return " ".join([*sentences, "(Said by the demo model.)"])


def _outputs(messages: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """Yield the name and the output of each call of the last turn."""
    asked = (call for message in messages for call in message.get("tool_calls") or ())
    names = {call["id"]: call["function"]["name"] for call in asked}
    first = max((n for n, each in enumerate(messages) if each["role"] != "tool"), default=-1) + 1
    for message in messages[first:]:
        yield names.get(message["tool_call_id"], ""), str(message["content"])


def _found(outputs: list[str]) -> str:
    """Return the best passages of each search, with their markers."""
    quotes = [
        f"“{' '.join(text.split())[:_LENGTH]}” {marker}"
        for output in outputs
        for marker, text in _PASSAGE.findall(output)[:_QUOTED]
    ]
    return f"In your files I found: {'; '.join(quotes) or 'nothing'}."


_WORDED = {
    "": lambda outputs: f"The functions answered: {'; '.join(outputs)}.",
    CODE_INTERPRETER.name: lambda outputs: f"The code answered: {'; '.join(outputs)}.",
    FILE_SEARCH.name: _found,
}


def _text(message: dict[str, Any]) -> str:
    content = message.get("content") or ""
    if isinstance(content, str):
        return content
    return " ".join(part["text"] for part in content if part["type"] == "text")


def _words(text: str) -> list[str]:
    return re.findall(r"\s*\S+", text)
