"""The answer of the model in one turn: its deltas in, events of the API out."""

from typing import Literal

from assistants.domain.annotation import Sources
from assistants.domain.message import IncompleteReason
from assistants.domain.run import RunSettings, Usage
from assistants.domain.tool_call import HostedCall
from assistants.ports.chat_model import (
    Delta,
    FinishDelta,
    FinishReason,
    RefusalDelta,
    TextDelta,
    ToolCallDelta,
)
from assistants.ports.clock import Clock
from assistants.services.turns.draft import Draft
from assistants.services.turns.reply_calls import ReplyCalls
from assistants.services.turns.reply_message import ReplyMessage
from assistants.telemetry import logger

_CUT: dict[FinishReason, IncompleteReason] = {
    "length": "max_tokens",
    "content_filter": "content_filter",
}


class Reply:
    """Convert one turn. A message is complete before tools are called; `hosted_made` counts the
    calls of hosted tools in earlier turns of the run.
    """

    def __init__(
        self, settings: RunSettings, clock: Clock, sources: Sources, hosted_made: int
    ) -> None:
        self.draft = Draft(settings, clock)
        self.usage = Usage()
        self._finish_reason: FinishReason | None = None
        self._message = ReplyMessage(self.draft, sources)
        self._calls = ReplyCalls(self.draft, hosted_made)

    def take(self, delta: Delta) -> None:
        """Add a delta. Raises `ModelError` for a function that was not offered."""
        match delta:
            case TextDelta(value):
                self._add("text", value)
            case RefusalDelta(value):
                self._add("refusal", value)
            case ToolCallDelta():
                if self._message.is_open:  # the turn's tokens are counted on its last step
                    self._message.close(None, Usage())
                self._calls.take(delta)
            case FinishDelta(reason, usage):
                self._finish_reason = reason or self._finish_reason
                self.usage = usage or self.usage

    @property
    def waiting_step(self) -> str | None:
        """Return the id of the step whose calls are to be answered, if there is one."""
        return self._calls.step_id or None

    @property
    def calls_functions(self) -> bool:
        return self._calls.calls_functions

    @property
    def hosted_calls(self) -> list[HostedCall]:
        return self._calls.hosted

    @property
    def hosted_made(self) -> int:
        return self._calls.hosted_made + len(self._calls.hosted)

    @property
    def cut(self) -> IncompleteReason | None:
        """Return the reason why the answer is cut, if it is."""
        return _CUT.get(self._finish_reason) if self._finish_reason else None

    def complete(self) -> None:
        """End the turn. Raises `ModelError` for a call that names no function."""
        if self.waiting_step is not None:
            self._calls.complete(self.cut, self.usage)
            return
        if not self._message.is_open:
            self._message.add("text", "")
        self._message.close(self.cut, self.usage)

    def break_off(self) -> None:
        """Keep the text so far of a model that has failed."""
        if self._message.is_open:
            self._message.settle()

    def _add(self, kind: Literal["text", "refusal"], value: str) -> None:
        """Add text. Drop it after a tool call: that step stays open, and steps may not overlap."""
        if self.waiting_step is None:
            self._message.add(kind, value)
        else:
            logger.warning("text after a tool call is left out", extra={"characters": len(value)})
