"""The text of a turn: a message, and the step that creates it."""

from dataclasses import dataclass, field
from typing import Any, Literal

from assistants.domain.annotation import AnnotatedText, Piece, Sources
from assistants.domain.events import MESSAGE_OBJECT, STEP_OBJECT, event_name
from assistants.domain.ids import MESSAGE, new_id
from assistants.domain.message import IncompleteReason, Message
from assistants.domain.run import Usage
from assistants.domain.tool import specs_of
from assistants.services.turns.draft import Draft

_DELTA = event_name(MESSAGE_OBJECT, "delta")


@dataclass
class ReplyMessage:
    """Emit images first, then content blocks in the order in which the model begins them.

    Text that may be the beginning of a reference to a source is held back until that is decided.
    """

    draft: Draft
    sources: Sources
    _message_id: str = ""
    _step_id: str = ""
    _blocks: list[str] = field(default_factory=list)  # kinds, and the ids of images
    _annotations: int = 0

    def __post_init__(self) -> None:
        cites = any(spec.cites for spec in specs_of(self.draft.settings.tools))
        self._text = AnnotatedText(self.sources, cites=cites)

    @property
    def is_open(self) -> bool:
        return bool(self._message_id)

    def add(self, kind: Literal["text", "refusal"], value: str) -> None:
        """Add to a content block; there is at most one of each kind."""
        if not self.is_open:
            self._open()
        if kind == "text":
            self._emit_text(self._text.read(value))
        elif (known := self._unwritten(kind)) is not None:
            known["refusal"] += value
        else:
            self._emit_block(kind, value)

    def settle(self) -> None:
        """Emit the text that was held back: no more follows."""
        if "text" in self._blocks:
            self._emit_text(self._text.finish())

    def close(self, cut: IncompleteReason | None, usage: Usage) -> None:
        self.settle()
        now = self.draft.now()
        if cut is None:
            self.draft.change(MESSAGE_OBJECT, "completed", self._message_id, {"completed_at": now})
        else:
            details = {"incomplete_at": now, "incomplete_details": {"reason": cut}}
            self.draft.change(MESSAGE_OBJECT, "incomplete", self._message_id, details)
        completed = {"completed_at": now, "usage": usage.model_dump()}
        self.draft.change(STEP_OBJECT, "completed", self._step_id, completed)
        self._message_id = self._step_id = ""

    def _emit_text(self, piece: Piece) -> None:
        """Emit a piece of text. The first opens the block, even if empty, to keep its place."""
        if piece == Piece() and "text" in self._blocks:
            return
        annotations = [
            {"index": index, **annotation}
            for index, annotation in enumerate(piece.annotations, self._annotations)
        ]
        self._annotations += len(annotations)
        if (known := self._unwritten("text")) is not None:
            known["text"]["value"] += piece.value
            if annotations:
                known["text"].setdefault("annotations", []).extend(annotations)
            return
        listed = annotations or "text" not in self._blocks
        self._emit_block(
            "text", {"value": piece.value, **({"annotations": annotations} if listed else {})}
        )

    def _emit_block(self, kind: str, content: Any) -> None:
        if kind not in self._blocks:
            self._blocks.append(kind)
        self._emit(self._blocks.index(kind), kind, content)

    def _emit(self, index: int, kind: str, content: Any) -> None:
        block = {"index": index, "type": kind, kind: content}
        self.draft.emit(_DELTA, {"id": self._message_id, "delta": {"content": [block]}})

    def _unwritten(self, kind: str) -> dict[str, Any] | None:
        if kind not in self._blocks:
            return None
        return self.draft.unwritten(_DELTA, "content", self._blocks.index(kind))

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
        self.draft.create(MESSAGE_OBJECT, message.model_dump(mode="json"))
        for file_id in self.sources.images:
            self._blocks.append(file_id)
            shown = {"file_id": file_id, "detail": "auto"}
            self._emit(len(self._blocks) - 1, "image_file", shown)
