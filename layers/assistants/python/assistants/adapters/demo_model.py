"""The built-in model: no key, no network, always the same answer. It shows how things work."""

import json
import re
from collections.abc import Iterator
from typing import Any

from assistants.domain.run import Usage
from assistants.ports.chat_model import CallFragment, Delta, Finish, ModelRequest, Text

INTRODUCTION = (
    "I am the demo model of Serverless Assistants: a small program without any intelligence, here "
    "so that you can try the API without a key. "
)
_SAMPLES: dict[str, Any] = {
    "string": "example",
    "integer": 1,
    "number": 1.5,
    "boolean": True,
    "array": [],
    "object": {},
}


class DemoModel:
    """Calls an offered function that the last message names, or that `tool_choice` demands; else
    it says what it is and what it read, word by word.
    """

    def stream(self, request: ModelRequest) -> Iterator[Delta]:
        last = request.messages[-1] if request.messages else {"role": "user", "content": ""}
        chosen = [] if last["role"] == "tool" else _chosen(request, _text(last))
        prompt = sum(len(_words(_text(message))) for message in request.messages)
        if chosen:
            yield from _call(chosen)
            completion = len(chosen)
        else:
            words = _words(_formatted(request, _answer(request, last)))
            yield from (Text(word) for word in words)
            completion = len(words)
        usage = Usage(
            prompt_tokens=prompt, completion_tokens=completion, total_tokens=prompt + completion
        )
        yield Finish("tool_calls" if chosen else "stop", usage)


def _chosen(request: ModelRequest, text: str) -> list[dict[str, Any]]:
    functions = [tool["function"] for tool in request.tools]
    choice = request.options.get("tool_choice", "auto")
    if choice == "none":
        return []
    if isinstance(choice, dict):
        return [each for each in functions if each["name"] == choice["function"]["name"]]
    named = [each for each in functions if re.search(rf"\b{re.escape(each['name'])}\b", text)]
    if not named and choice == "required":
        named = functions[:1]
    return named if request.options.get("parallel_tool_calls", True) else named[:1]


def _call(functions: list[dict[str, Any]]) -> Iterator[Delta]:
    for index, function in enumerate(functions):
        arguments = json.dumps(_example(function.get("parameters") or {}))
        yield CallFragment(index, id=f"demo_{index}", name=function["name"])
        for start in range(0, len(arguments), 8):
            yield CallFragment(index, arguments=arguments[start : start + 8])


def _example(schema: Any) -> Any:
    """Some value that fits a JSON schema, as far as types tell."""
    match schema:
        case {"enum": [first, *_]}:
            return first
        case {"properties": dict(members)}:
            return {name: _example(member) for name, member in members.items()}
        case {"type": str(kind)} | {"type": [str(kind), *_]}:
            return _SAMPLES.get(kind)
        case dict():
            return {}
        case _:
            return None


def _formatted(request: ModelRequest, answer: str) -> str:
    """The answer in the format that the request asks for."""
    match request.options.get("response_format"):
        case {"type": "json_object"}:
            return json.dumps({"answer": answer})
        case {"type": "json_schema", "json_schema": {"schema": schema}}:
            return json.dumps(_example(schema))
        case _:
            return answer


def _answer(request: ModelRequest, last: dict[str, Any]) -> str:
    if last["role"] == "tool":
        outputs: list[str] = []
        for message in reversed(request.messages):
            if message["role"] != "tool":
                break
            outputs.insert(0, str(message["content"]))
        return f"The functions answered: {'; '.join(outputs)}. (Said by the demo model.)"
    return f"{INTRODUCTION}You said: {_text(last)}"


def _text(message: dict[str, Any]) -> str:
    content = message.get("content") or ""
    if isinstance(content, str):
        return content
    return " ".join(part["text"] for part in content if part["type"] == "text")


def _words(text: str) -> list[str]:
    return re.findall(r"\s*\S+", text)
