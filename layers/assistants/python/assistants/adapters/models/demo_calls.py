"""The tool calls that the demo model makes for a message."""

import ast
import re
from typing import Any

from assistants.domain.hosted_tools.code_interpreter import CODE_INTERPRETER
from assistants.domain.hosted_tools.file_search import FILE_SEARCH
from assistants.ports.chat_model import ModelRequest

_PYTHON = re.compile(r"```(?:python|py)\n(.*?)```", re.DOTALL)
_CALCULATION = re.compile(r"[\d(][\d\s.()+*/%-]*[\d)]")
_SAMPLES: dict[str, Any] = {
    "string": "example",
    "integer": 1,
    "number": 1.5,
    "boolean": True,
    "array": [],
    "object": {},
}

Calls = list[tuple[str, dict[str, Any]]]


def calls(request: ModelRequest, text: str) -> Calls:
    """Return the names and arguments of the calls.

    These are functions that the text names, the code in it, and a search for it; in any case those
    that `tool_choice` demands.
    """
    functions = [tool["function"] for tool in request.tools]
    choice = request.options.get("tool_choice", "auto")
    if choice == "none":
        return []
    if isinstance(choice, dict):
        name = choice["function"]["name"]
        return [_call(each, text) for each in functions if each["name"] == name]
    asked = [each for each in functions if _is_asked_for(each["name"], text)]
    if not asked and choice == "required":
        asked = functions[:1]
    asked = asked if request.options.get("parallel_tool_calls", True) else asked[:1]
    return [_call(each, text) for each in asked]


def example(schema: Any) -> Any:
    """Return a value that fits the types of a JSON schema."""
    match schema:
        case {"enum": [first, *_]}:
            return first
        case {"properties": dict(members)}:
            return {name: example(member) for name, member in members.items()}
        case {"type": str(kind)} | {"type": [str(kind), *_]}:
            return _SAMPLES.get(kind)
        case dict():
            return {}
        case _:
            return None


def code_in(text: str) -> str | None:
    """Return a block of Python, or the first calculation, in the text."""
    if block := _PYTHON.search(text):
        return block[1]
    return next(filter(_is_calculation, _CALCULATION.findall(text)), None)


def _is_calculation(text: str) -> bool:
    try:
        return not isinstance(ast.parse(text, mode="eval").body, ast.Constant)
    except SyntaxError:
        return False


def _is_asked_for(name: str, text: str) -> bool:
    match name:
        case CODE_INTERPRETER.name:
            return code_in(text) is not None
        case FILE_SEARCH.name:
            return re.search(r"\w", text) is not None
        case _:
            return re.search(rf"\b{re.escape(name)}\b", text) is not None


def _call(function: dict[str, Any], text: str) -> tuple[str, dict[str, Any]]:
    match name := function["name"]:
        case CODE_INTERPRETER.name:
            return name, {CODE_INTERPRETER.argument: code_in(text) or "print('Hello')"}
        case FILE_SEARCH.name:
            return name, {FILE_SEARCH.argument: [text[:1000]]}
        case _:
            return name, example(function.get("parameters") or {})
