"""The text of a turn, as a message and the step that creates it."""

from dataclasses import dataclass, field
from typing import Any, Literal

from assistants.domain.ids import MESSAGE, new_id
from assistants.domain.message import IncompleteReason, Message
from assistants.domain.run import Usage
from assistants.services.draft import MESSAGES, STEPS, Draft

_DELTA = f"{MESSAGES}.delta"


@dataclass
class ReplyMessage:
    draft: Draft
    _message_id: str = ""
    _step_id: str = ""
    _blocks: list[str] = field(default_factory=list)

    @property
    def is_open(self) -> bool:
        return bool(self._message_id)

    def say(self, kind: Literal["text", "refusal"], value: str) -> None:
        """More of a content block; there is at most one of each kind."""
        if not self.is_open:
            self._open()
        first = kind not in self._blocks
        if first:
            self._blocks.append(kind)
        index = self._blocks.index(kind)
        if (known := self.draft.unwritten(_DELTA, "content", index)) is not None:
            if kind == "text":
                known["text"]["value"] += value
            else:
                known["refusal"] += value
            return
        block: dict[str, Any] = {"index": index, "type": kind, "refusal": value}
        if kind == "text":
            annotations: dict[str, Any] = {"annotations": []} if first else {}
            block = {"index": index, "type": kind, "text": {"value": value, **annotations}}
        self.draft.emit(_DELTA, {"id": self._message_id, "delta": {"content": [block]}})

    def close(self, cut: IncompleteReason | None, usage: Usage) -> None:
        now = self.draft.now()
        if cut is None:
            self.draft.change(MESSAGES, "completed", self._message_id, {"completed_at": now})
        else:
            details = {"incomplete_at": now, "incomplete_details": {"reason": cut}}
            self.draft.change(MESSAGES, "incomplete", self._message_id, details)
        completed = {"completed_at": now, "usage": usage.model_dump()}
        self.draft.change(STEPS, "completed", self._step_id, completed)
        self._message_id = self._step_id = ""

    def _open(self) -> None:
        settings = self.draft.settings
        message = Message(
            id=new_id(MESSAGE),
            created_at=self.draft.now(),
            thread_id=settings.thread_id,
            status="in_progress",
            role="assistant",
            content=[],
            assistant_id=settings.assistant_id,
            run_id=settings.id,
        )
        self._message_id = message.id
        self._step_id = self.draft.open_step("message_creation", {"message_id": message.id})
        self.draft.create(MESSAGES, message.model_dump(mode="json"))
