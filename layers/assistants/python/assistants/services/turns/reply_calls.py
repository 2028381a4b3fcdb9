"""The tool calls of a turn: one step that stays open until all of them are answered."""

from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic_core import from_json

from assistants.domain.hosted_tool import HostedToolName
from assistants.domain.ids import TOOL_CALL, new_id
from assistants.domain.message import IncompleteReason
from assistants.domain.run import Usage
from assistants.domain.tool_call import HostedCall
from assistants.ports.chat_model import ModelError, ToolCallDelta
from assistants.services.turns.draft import STEPS, Draft

MAX_HOSTED_CALLS = 64  # of one turn: its end is one transaction of at most 100 rows

_DELTA = f"{STEPS}.delta"
_CUT_OFF = {"code": "server_error", "message": "The model was cut off in a tool call."}
_FIRST: dict[HostedToolName, dict[str, Any]] = {
    "code_interpreter": {"input": "", "outputs": []},
    "file_search": {},
}


@dataclass
class _Call:
    """A call at `position` of its step, whose fragments are still arriving."""

    position: int
    id: str
    given_id: str | None = None
    tool: Literal["function", "code_interpreter", "file_search"] | None = None
    arguments: str = ""
    shown: int = 0  # characters of the arguments, or of the code in them, that were emitted


@dataclass
class ReplyCalls:
    draft: Draft
    hosted_made: int  # calls of hosted tools in earlier turns of the run
    step_id: str = ""
    _calls: list[_Call] = field(default_factory=list)
    _at: dict[int | None, _Call] = field(default_factory=dict)

    @property
    def calls_functions(self) -> bool:
        return any(call.tool == "function" for call in self._calls)

    @property
    def hosted(self) -> list[HostedCall]:
        """The calls of hosted tools."""
        hosted = (
            (call, call.tool) for call in self._calls if call.tool and call.tool != "function"
        )
        return [
            HostedCall(
                id=call.id,
                number=number,
                tool=tool,
                position=call.position,
                arguments=call.arguments,
            )
            for number, (call, tool) in enumerate(hosted, self.hosted_made)
        ]

    def take(self, fragment: ToolCallDelta) -> None:
        """Add a fragment. Ids are our own: some providers repeat theirs from turn to turn.

        Raises `ModelError` for a tool that was not offered, and for too many calls.
        """
        if not self.step_id:
            self.step_id = self.draft.open_step("tool_calls", [])
        call = self._call(fragment)
        call.arguments += fragment.arguments
        if call.tool is None and fragment.name:
            self._announce(call, fragment.name)
        self._emit_arguments(call)

    def complete(self, cut: IncompleteReason | None, usage: Usage) -> None:
        """End the turn. Raises `ModelError` for a call that never got a name."""
        if cut is not None:
            failed = {"failed_at": self.draft.now(), "last_error": _CUT_OFF}
            self.draft.change(
                STEPS, "failed", self.step_id, {**failed, "usage": usage.model_dump()}
            )
            return
        if not all(call.tool for call in self._calls):
            raise ModelError("server_error", "The model called a function without a name.")
        self.draft.touch(self.step_id)

    def _call(self, fragment: ToolCallDelta) -> _Call:
        """Return the call that a fragment belongs to.

        A new id at a known index begins another call: some providers number all calls 0.
        """
        call = self._at.get(fragment.index)
        if call is None or (call.given_id and fragment.id and call.given_id != fragment.id):
            call = _Call(len(self._calls), new_id(TOOL_CALL))
            self._at[fragment.index] = call
            self._calls.append(call)
        call.given_id = call.given_id or fragment.id
        return call

    def _announce(self, call: _Call, name: str) -> None:
        for tool in self.draft.settings.tools:
            if tool.type == "function" and tool.function.name == name:
                call.tool = "function"
                first: dict[str, Any] = {"name": name, "arguments": "", "output": None}
            elif tool.type != "function" and tool.type == name:
                call.tool = tool.type
                first = dict(_FIRST[tool.type])
        if call.tool is None:
            raise ModelError("server_error", f"The model called '{name}', which is not a tool.")
        if len(self.hosted) > MAX_HOSTED_CALLS:
            raise ModelError(
                "server_error", f"The model called the server's tools {MAX_HOSTED_CALLS + 1} times."
            )
        self._emit(call, first, id=call.id)

    def _emit_arguments(self, call: _Call) -> None:
        """Emit new characters of a function's arguments, or of the code interpreter's code."""
        match call.tool:
            case "function":
                member, text = "arguments", call.arguments
            case "code_interpreter":
                member, text = "input", code_of(call.arguments)
            case _:
                return
        if new := text[call.shown :]:
            call.shown = len(text)
            known = self.draft.unwritten(_DELTA, "tool_calls", call.position)
            if known is None or member not in known[call.tool]:
                self._emit(call, {member: new})
            else:
                known[call.tool][member] += new

    def _emit(self, call: _Call, members: dict[str, Any], **others: str) -> None:
        shown = {"index": call.position, **others, "type": call.tool, str(call.tool): members}
        details = {"type": "tool_calls", "tool_calls": [shown]}
        self.draft.emit(_DELTA, {"id": self.step_id, "delta": {"step_details": details}})


def code_of(arguments: str) -> str:
    """Return the code of `{"code": "…"}`, of which only the beginning may be there."""
    try:
        read = from_json(arguments, allow_partial="trailing-strings")
    except ValueError:
        return ""
    code = read.get("code") if isinstance(read, dict) else None
    return code if isinstance(code, str) else ""
