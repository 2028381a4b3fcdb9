"""The function calls of a turn, as one step that stays open until the client has answered."""

from dataclasses import dataclass, field
from typing import Any

from assistants.domain.ids import TOOL_CALL, new_id
from assistants.domain.message import IncompleteReason
from assistants.domain.run import Usage
from assistants.domain.tool import FunctionTool
from assistants.ports.chat_model import CallFragment, ModelError
from assistants.services.draft import STEPS, Draft

_DELTA = f"{STEPS}.delta"
_CUT_OFF = {"code": "server_error", "message": "The model was cut off in a tool call."}


@dataclass
class _Call:
    """A call whose fragments are still coming in, at `position` of its step."""

    position: int
    id: str
    given_id: str | None = None
    announced: bool = False
    arguments: str = ""


@dataclass
class ReplyCalls:
    draft: Draft
    step_id: str = ""
    _calls: list[_Call] = field(default_factory=list)
    _at: dict[int | None, _Call] = field(default_factory=dict)

    def take(self, fragment: CallFragment) -> None:
        """Ids are our own: some providers repeat theirs from turn to turn.

        Raises `ModelError` for a function that was not offered.
        """
        if not self.step_id:
            self.step_id = self.draft.open_step("tool_calls", [])
        call = self._call(fragment)
        call.arguments += fragment.arguments
        if not call.announced and fragment.name:
            self._announce(call, fragment.name)
        if call.announced and call.arguments:
            self._append_arguments(call)

    def complete(self, cut: IncompleteReason | None, usage: Usage) -> None:
        """Raises `ModelError` for a call that never got a name."""
        if cut is not None:
            failed = {"failed_at": self.draft.now(), "last_error": _CUT_OFF}
            self.draft.change(
                STEPS, "failed", self.step_id, {**failed, "usage": usage.model_dump()}
            )
            return
        if not all(call.announced for call in self._calls):
            raise ModelError("server_error", "The model called a function without a name.")
        self.draft.touch(self.step_id)

    def _call(self, fragment: CallFragment) -> _Call:
        """The call that a fragment belongs to. A new id at a known index begins another call:
        some providers number all calls 0.
        """
        call = self._at.get(fragment.index)
        if call is None or (call.given_id and fragment.id and call.given_id != fragment.id):
            call = _Call(len(self._calls), new_id(TOOL_CALL))
            self._at[fragment.index] = call
            self._calls.append(call)
        call.given_id = call.given_id or fragment.id
        return call

    def _announce(self, call: _Call, name: str) -> None:
        tools = self.draft.settings.tools
        if not any(isinstance(tool, FunctionTool) and tool.function.name == name for tool in tools):
            raise ModelError("server_error", f"The model called '{name}', which is not a tool.")
        call.announced = True
        function = {"name": name, "arguments": "", "output": None}
        self._emit({"index": call.position, "id": call.id, "function": function})

    def _append_arguments(self, call: _Call) -> None:
        known = self.draft.unwritten(_DELTA, "tool_calls", call.position)
        if known is None:
            self._emit({"index": call.position, "function": {"arguments": call.arguments}})
        else:
            known["function"]["arguments"] += call.arguments
        call.arguments = ""

    def _emit(self, call: dict[str, Any]) -> None:
        details = {"type": "tool_calls", "tool_calls": [{**call, "type": "function"}]}
        self.draft.emit(_DELTA, {"id": self.step_id, "delta": {"step_details": details}})
