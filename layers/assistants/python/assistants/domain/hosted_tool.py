"""The tools that run on the server, as a model sees them: functions of a fixed form."""

from collections.abc import Sequence
from typing import Any, Literal

from assistants.domain.tool import Tool

HostedToolName = Literal["code_interpreter", "file_search"]

# The one string or list of strings that each of them is called with.
ARGUMENT: dict[HostedToolName, str] = {"code_interpreter": "code", "file_search": "queries"}

_DESCRIPTIONS: dict[HostedToolName, str] = {
    "code_interpreter": (
        "Runs Python in a Jupyter-like session that keeps its variables. Files lie in /mnt/data; "
        "what you write there can be given to the user as sandbox:/mnt/data/<name>. There is no "
        "network. The last expression and everything printed comes back."
    ),
    "file_search": (
        "Searches the files that the user has attached. Ask one or several short, different "
        "queries. Every passage comes with its marker, such as 【0:1†report.pdf】: copy the marker "
        "behind each statement that rests on that passage."
    ),
}
_PARAMETERS: dict[HostedToolName, dict[str, Any]] = {
    "code_interpreter": {"type": "string", "description": "Python source"},
    "file_search": {"type": "array", "items": {"type": "string"}, "minItems": 1},
}


def offered(tools: Sequence[Tool]) -> list[dict[str, Any]]:
    """The tools of an assistant in the form of chat completions."""
    return [
        tool.model_dump() if tool.type == "function" else _function(tool.type) for tool in tools
    ]


def _function(name: HostedToolName) -> dict[str, Any]:
    argument = ARGUMENT[name]
    schema = {
        "type": "object",
        "properties": {argument: _PARAMETERS[name]},
        "required": [argument],
        "additionalProperties": False,
    }
    function = {"name": name, "description": _DESCRIPTIONS[name], "parameters": schema}
    return {"type": "function", "function": function}
