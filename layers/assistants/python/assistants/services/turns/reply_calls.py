"""The tool calls of a turn: one step that stays open until all of them are answered."""

from dataclasses import dataclass, field
from typing import Any

from pydantic_core import from_json

from assistants.domain.events import STEP_OBJECT, event_name
from assistants.domain.hosted_tools.registry import HOSTED_TOOLS
from assistants.domain.ids import TOOL_CALL, new_id
from assistants.domain.message import IncompleteReason
from assistants.domain.run import Usage
from assistants.domain.tool import FunctionTool
from assistants.domain.tool_call import HostedCall
from assistants.ports.chat_model import ModelError, ToolCallDelta
from assistants.services.turns.draft import Draft

MAX_HOSTED_CALLS = 64  # of one turn: its end is one transaction of at most 100 rows

_DELTA = event_name(STEP_OBJECT, "delta")
_CUT_OFF = {"code": "server_error", "message": "The model was cut off in a tool call."}


@dataclass
class _ReplyCall:
    """A call at `position` of its step, whose fragments are still arriving."""

    position: int
    id: str
    given_id: str | None = None
    tool: str = ""  # `function` or the name of a hosted tool, once it is known
    arguments: str = ""
    shown: int = 0  # characters of the arguments, or of the code in them, that were emitted


@dataclass
class ReplyCalls:
    draft: Draft
    hosted_made: int  # calls of hosted tools in earlier turns of the run
    step_id: str = ""
    _calls: list[_ReplyCall] = field(default_factory=list)
    _at: dict[int | None, _ReplyCall] = field(default_factory=dict)

    @property
    def calls_functions(self) -> bool:
        return any(call.tool == "function" for call in self._calls)

    @property
    def hosted(self) -> list[HostedCall]:
        """Return the calls of hosted tools."""
        hosted = (call for call in self._calls if call.tool in HOSTED_TOOLS)
        return [
            HostedCall(
                id=call.id,
                number=number,
                tool=call.tool,
                position=call.position,
                arguments=call.arguments,
            )
            for number, call in enumerate(hosted, self.hosted_made)
        ]

    def take(self, fragment: ToolCallDelta) -> None:
        """Add a fragment. Ids are our own: some providers repeat theirs from turn to turn.

        Raises `ModelError` for a tool that was not offered, and for too many calls.
        """
        if not self.step_id:
            self.step_id = self.draft.open_step("tool_calls", [])
        call = self._call(fragment)
        call.arguments += fragment.arguments
        if not call.tool and fragment.name:
            self._announce(call, fragment.name)
        self._emit_arguments(call)

    def complete(self, cut: IncompleteReason | None, usage: Usage) -> None:
        """End the turn. Raises `ModelError` for a call that never got a name."""
        if cut is not None:
            failed = {"failed_at": self.draft.now(), "last_error": _CUT_OFF}
            self.draft.change(
                STEP_OBJECT, "failed", self.step_id, {**failed, "usage": usage.model_dump()}
            )
            return
        if not all(call.tool for call in self._calls):
            raise ModelError("server_error", "The model called a function without a name.")
        self.draft.touch(self.step_id)

    def _call(self, fragment: ToolCallDelta) -> _ReplyCall:
        """Return the call that a fragment belongs to.

        A new id at a known index begins another call: some providers number all calls 0.
        """
        call = self._at.get(fragment.index)
        if call is None or (call.given_id and fragment.id and call.given_id != fragment.id):
            call = _ReplyCall(len(self._calls), new_id(TOOL_CALL))
            self._at[fragment.index] = call
            self._calls.append(call)
        call.given_id = call.given_id or fragment.id
        return call

    def _announce(self, call: _ReplyCall, name: str) -> None:
        for tool in self.draft.settings.tools:
            if isinstance(tool, FunctionTool):
                if tool.function.name == name:
                    call.tool = tool.type
                    first: dict[str, Any] = {"name": name, "arguments": "", "output": None}
            elif tool.type == name:
                call.tool = name
                first = dict(HOSTED_TOOLS[name].first_members)
        if not call.tool:
            raise ModelError("server_error", f"The model called '{name}', which is not a tool.")
        if len(self.hosted) > MAX_HOSTED_CALLS:
            raise ModelError(
                "server_error", f"The model called the server's tools {MAX_HOSTED_CALLS + 1} times."
            )
        self._emit(call, first, id=call.id)

    def _emit_arguments(self, call: _ReplyCall) -> None:
        """Emit new characters of the arguments, as far as the call's tool shows them."""
        member, text = _shown_arguments(call)
        if new := text[call.shown :]:
            call.shown = len(text)
            known = self.draft.unwritten(_DELTA, "tool_calls", call.position)
            if known is None or member not in known[call.tool]:
                self._emit(call, {member: new})
            else:
                known[call.tool][member] += new

    def _emit(self, call: _ReplyCall, members: dict[str, Any], **others: str) -> None:
        shown = {"index": call.position, **others, "type": call.tool, call.tool: members}
        details = {"type": "tool_calls", "tool_calls": [shown]}
        self.draft.emit(_DELTA, {"id": self.step_id, "delta": {"step_details": details}})


def _shown_arguments(call: _ReplyCall) -> tuple[str, str]:
    """Return the member of the call that shows its arguments, and the text that it has by now."""
    if call.tool == "function":
        return "arguments", call.arguments
    spec = HOSTED_TOOLS.get(call.tool)
    if spec is None or spec.shown_argument is None:
        return "", ""
    return spec.shown_argument, _member(call.arguments, spec.argument)


def _member(arguments: str, name: str) -> str:
    """Return the text of a member of a JSON object, of which only the beginning may be there."""
    try:
        read = from_json(arguments, allow_partial="trailing-strings")
    except ValueError:
        return ""
    text = read.get(name) if isinstance(read, dict) else None
    return text if isinstance(text, str) else ""
