"""A model's turn as it becomes steps and messages: its deltas in, events of the API out."""

from dataclasses import dataclass, field
from typing import Any

from assistants.domain.ids import MESSAGE, STEP, TOOL_CALL, new_id
from assistants.domain.journal import Event, Story
from assistants.domain.message import IncompleteReason, Message
from assistants.domain.run import RunSettings, Usage
from assistants.domain.run_step import RunStep
from assistants.ports.chat_model import (
    CallFragment,
    Delta,
    Finish,
    FinishReason,
    ModelError,
    Refusal,
    Text,
)
from assistants.ports.clock import Clock

_STEP = "thread.run.step"
_MESSAGE = "thread.message"
_CUT: dict[FinishReason, IncompleteReason] = {
    "length": "max_tokens",
    "content_filter": "content_filter",
}


@dataclass
class _Call:
    """A function call whose fragments are still coming in, at `position` of its step."""

    position: int
    id: str
    announced: bool = False
    arguments: str = ""


@dataclass
class Reply:
    """One turn. At most one step is open at a time: a message is complete before tools begin,
    because the SDKs' stream readers allow no overlap.
    """

    settings: RunSettings
    clock: Clock
    story: Story = field(default_factory=lambda: Story(run={}))
    usage: Usage = field(default_factory=Usage)
    finish_reason: FinishReason | None = None
    step_id: str | None = None
    _message_id: str | None = None
    _calls: dict[int, _Call] = field(default_factory=dict)
    _blocks: list[str] = field(default_factory=list)
    _pending: list[Event] = field(default_factory=list)
    _touched: dict[str, None] = field(default_factory=dict)

    def take(self, delta: Delta) -> None:
        match delta:
            case Text(value):
                self._say("text", value)
            case Refusal(value):
                self._say("refusal", value)
            case CallFragment():
                self._call(delta)
            case Finish(reason, usage):
                self.finish_reason = reason or self.finish_reason
                self.usage = usage or self.usage

    @property
    def pending(self) -> bool:
        return bool(self._pending)

    @property
    def calls_tools(self) -> bool:
        return bool(self._calls)

    @property
    def cut(self) -> IncompleteReason | None:
        """Why the message is not whole, if it is not."""
        return _CUT.get(self.finish_reason) if self.finish_reason else None

    def drain(self) -> tuple[tuple[Event, ...], list[dict[str, Any]]]:
        """The events since the last time, and the objects that they created or completed."""
        events = tuple(self._pending)
        for event in events:
            self.story.tell(event)
        objects = [self.story.objects[identifier] for identifier in self._touched]
        self._pending.clear()
        self._touched.clear()
        return events, objects

    def complete(self) -> None:
        """The model has finished: close the message. A step with function calls stays open until
        the client has answered. Raises `ModelError` for a call that names no function.
        """
        if self._calls:
            if not all(call.announced for call in self._calls.values()):
                raise ModelError("server_error", "The model called a function without a name.")
            return
        if self._message_id is None:
            self._say("text", "")
        self._close_message(self.usage)

    # Speaking

    def _say(self, kind: str, value: str) -> None:
        if self._message_id is None:
            self._open_message()
        first = kind not in self._blocks
        if first:
            self._blocks.append(kind)
        block: dict[str, Any] = {"index": self._blocks.index(kind), "type": kind}
        if kind == "text":
            block["text"] = {"value": value, "annotations": []} if first else {"value": value}
        else:
            block["refusal"] = value
        self._append_delta(block)

    def _append_delta(self, block: dict[str, Any]) -> None:
        """Text that has not been written yet grows in place, so that a flush is one delta."""
        if (known := self._unwritten(f"{_MESSAGE}.delta", "content", block["index"])) is None:
            delta = {"content": [block]}
            self._emit(f"{_MESSAGE}.delta", {"id": self._message_id, "delta": delta})
        elif block["type"] == "text":
            known["text"]["value"] += block["text"]["value"]
        else:
            known["refusal"] += block["refusal"]

    def _unwritten(self, name: str, member: str, index: int) -> dict[str, Any] | None:
        """The fragment that ends the unwritten events, if it continues the item at `index`."""
        last = self._pending[-1] if self._pending else None
        if last is None or last.name != name:
            return None
        delta = last.data["delta"]
        fragment: dict[str, Any] = delta.get("step_details", delta)[member][0]
        return fragment if fragment["index"] == index else None

    def _open_message(self) -> None:
        message = Message(
            id=new_id(MESSAGE),
            created_at=self._now(),
            thread_id=self.settings.thread_id,
            status="in_progress",
            role="assistant",
            content=[],
            assistant_id=self.settings.assistant_id,
            run_id=self.settings.id,
        )
        self._message_id = message.id
        creation = {"message_id": message.id}
        self._open_step("message_creation", {"message_creation": creation})
        self._create(_MESSAGE, message.model_dump(mode="json"))

    def _close_message(self, usage: Usage) -> None:
        now = self._now()
        if (reason := self.cut) is None:
            status = "completed"
            change: dict[str, Any] = {"completed_at": now}
        else:
            status = "incomplete"
            change = {"incomplete_at": now, "incomplete_details": {"reason": reason}}
        self._change(_MESSAGE, status, {"id": self._message_id, "status": status, **change})
        self._change(
            _STEP,
            "completed",
            {
                "id": self.step_id,
                "status": "completed",
                "completed_at": now,
                "usage": usage.model_dump(),
            },
        )
        self._message_id = self.step_id = None

    # Calling functions

    def _call(self, fragment: CallFragment) -> None:
        if self._message_id is not None:
            self._close_message(Usage())  # the turn's tokens are counted on its last step
        if not self._calls:
            self._open_step("tool_calls", {"tool_calls": []})
        if (call := self._calls.get(fragment.index)) is None:
            call = _Call(position=len(self._calls), id=new_id(TOOL_CALL))
            self._calls[fragment.index] = call
        call.arguments += fragment.arguments
        if not call.announced and fragment.name is not None:
            self._announce(call, fragment.name)
        if call.announced and call.arguments:
            self._append_arguments(call)

    def _append_arguments(self, call: _Call) -> None:
        known = self._unwritten(f"{_STEP}.delta", "tool_calls", call.position)
        if known is None:
            function = {"arguments": call.arguments}
            self._emit_call({"index": call.position, "type": "function", "function": function})
        else:
            known["function"]["arguments"] += call.arguments
        call.arguments = ""

    def _announce(self, call: _Call, name: str) -> None:
        call.announced = True
        function = {"name": name, "arguments": "", "output": None}
        self._emit_call(
            {"index": call.position, "id": call.id, "type": "function", "function": function}
        )

    def _emit_call(self, call: dict[str, Any]) -> None:
        details = {"type": "tool_calls", "tool_calls": [call]}
        self._emit(f"{_STEP}.delta", {"id": self.step_id, "delta": {"step_details": details}})

    # Events

    def _open_step(self, kind: str, details: dict[str, Any]) -> None:
        step = RunStep(
            id=new_id(STEP),
            created_at=self._now(),
            assistant_id=self.settings.assistant_id,
            thread_id=self.settings.thread_id,
            run_id=self.settings.id,
            type=kind,
            step_details={"type": kind, **details},
        )
        self.step_id = step.id
        self._create(_STEP, step.model_dump(mode="json"))

    def _create(self, kind: str, known: dict[str, Any]) -> None:
        self._emit(f"{kind}.created", known)
        self._change(kind, "in_progress", {"id": known["id"]})

    def _change(self, kind: str, status: str, data: dict[str, Any]) -> None:
        self._emit(f"{kind}.{status}", data)
        self._touched[data["id"]] = None

    def _emit(self, name: str, data: dict[str, Any]) -> None:
        self._pending.append(Event(name, data))

    def _now(self) -> int:
        return int(self.clock.time())
