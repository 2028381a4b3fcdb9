"""A new hosted tool takes a spec and a service: the package works with it as it is."""

import ast
import json
import re
import subprocess
import sys
from collections import Counter
from typing import Any

import pytest

from assistants.domain.hosted_tools.registry import HOSTED_TOOLS
from infra.repository import REPOSITORY

PACKAGE = "layers/assistants/python/assistants"
# How often each file writes the name of a hosted tool in a string.
LITERALS = {
    f"{PACKAGE}/domain/hosted_tools/code_interpreter.py": 1,
    f"{PACKAGE}/domain/hosted_tools/file_search.py": 1,
    f"{PACKAGE}/domain/formats.py": 1,  # of an error message, in the original's words
    f"{PACKAGE}/domain/run_step.py": 1,  # of the API's value of `include`
    "infra/regions.py": 2,  # the option, in the sentence that names the way out
    "statemachines/run.asl.json": 2,  # the choice of each tool's state
}
DELTA = "thread.run.step.delta"


@pytest.fixture(scope="module")
def played() -> dict[str, Any]:
    """A run with the tool of `tests.support.dice_tool`."""
    command = [sys.executable, "-m", "tests.support.dice_tool"]
    ended = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    result: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    return result


def test_an_assistant_can_have_it(played: dict[str, Any]) -> None:
    assert played["tools"] == [{"type": "dice", "sides": 8}]


def test_the_model_is_offered_it_and_must_call_it_if_the_run_says_so(
    played: dict[str, Any],
) -> None:
    [function] = [tool["function"] for tool in played["requests"][0]["tools"]]
    assert function == {
        "name": "dice",
        "description": "Rolls a die.",
        "parameters": {
            "type": "object",
            "properties": {"reason": {"type": "string"}},
            "required": ["reason"],
            "additionalProperties": False,
        },
    }
    choice = {"type": "function", "function": {"name": "dice"}}
    assert played["requests"][0]["tool_choice"] == choice


def test_the_state_machine_reads_which_tool_was_called(played: dict[str, Any]) -> None:
    [call] = played["calls"]
    assert call["tool"] == "dice"


def test_the_step_shows_its_call(played: dict[str, Any]) -> None:
    step, message = played["steps"]
    assert (step["status"], message["type"]) == ("completed", "message_creation")
    [call] = step["step_details"]["tool_calls"]
    assert call == {
        "id": played["calls"][0]["call"],
        "type": "dice",
        "dice": {"reason": "to win", "rolls": [{"value": 4}]},
    }


def test_the_stream_shows_the_argument_as_it_is_written_and_then_the_answer(
    played: dict[str, Any],
) -> None:
    deltas = [data["delta"]["step_details"] for name, data in played["events"] if name == DELTA]
    shown = [call["dice"] for details in deltas for call in details["tool_calls"]]
    assert shown[0] == {"reason": "", "rolls": []}
    reasons = [members["reason"] for members in shown[1:-1]]
    assert len(reasons) > 1 and "".join(reasons) == "to win"
    assert shown[-1] == {"rolls": [{"index": 0, "value": 4}]}


def test_the_model_reads_the_answer(played: dict[str, Any]) -> None:
    asked, answered = played["requests"][1]["messages"][-2:]
    assert asked["tool_calls"][0]["function"] == {
        "name": "dice",
        "arguments": '{"reason": "to win"}',
    }
    assert answered["content"] == "You rolled a 4."
    assert played["status"] == "completed"


def test_a_deployment_without_it_refuses_it(played: dict[str, Any]) -> None:
    assert (
        played["unavailable"]["message"] == "The tool 'dice' is not available in this deployment."
    )


def test_a_tool_that_takes_no_files_is_refused_them(played: dict[str, Any]) -> None:
    assert played["attached"]["message"] == (
        "Invalid value: 'dice'. Supported values are: 'code_interpreter' and 'file_search'."
    )


def test_names_of_hosted_tools_are_written_in_few_places() -> None:
    names = re.compile(rf"\b({'|'.join(HOSTED_TOOLS)})\b")
    written: Counter[str] = Counter()
    for folder in ("layers", "functions", "infra", "statemachines"):
        for path in (REPOSITORY / folder).rglob("*"):
            if path.suffix in (".py", ".json"):
                strings = _strings(path.read_text(), python=path.suffix == ".py")
                count = sum(len(names.findall(string)) for string in strings)
                written[str(path.relative_to(REPOSITORY))] += count
    assert {path: count for path, count in written.items() if count} == LITERALS


def _strings(text: str, *, python: bool) -> list[str]:
    """The strings of a source text, without its docstrings; a JSON file is one string."""
    if not python:
        return [text]
    tree = ast.parse(text)
    statements = [node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)]
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        if node not in statements
    ]
