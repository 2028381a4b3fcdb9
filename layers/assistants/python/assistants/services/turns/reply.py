"""A model's turn as it becomes steps and messages: its deltas in, events of the API out."""

from typing import Literal

from assistants.domain.annotation import Sources
from assistants.domain.message import IncompleteReason
from assistants.domain.run import HostedCall, RunSettings, Usage
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
    """One turn of a run that has made `hosted_made` calls of the server's tools before. A message
    is complete before tools are called.
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
        """Raises `ModelError` for a function that was not offered."""
        match delta:
            case TextDelta(value):
                self._say("text", value)
            case RefusalDelta(value):
                self._say("refusal", value)
            case ToolCallDelta():
                if self._message.is_open:  # the turn's tokens are counted on its last step
                    self._message.close(None, Usage())
                self._calls.take(delta)
            case FinishDelta(reason, usage):
                self._finish_reason = reason or self._finish_reason
                self.usage = usage or self.usage

    @property
    def waiting_step(self) -> str | None:
        """The step whose function calls the client has to answer, if there is one."""
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
        """Why the answer is not whole, if it is not."""
        return _CUT.get(self._finish_reason) if self._finish_reason else None

    def complete(self) -> None:
        """The model has finished. Raises `ModelError` for a call that names no function."""
        if self.waiting_step is not None:
            self._calls.complete(self.cut, self.usage)
            return
        if not self._message.is_open:
            self._message.say("text", "")
        self._message.close(self.cut, self.usage)

    def break_off(self) -> None:
        """The model has failed. What it has said so far is kept."""
        if self._message.is_open:
            self._message.settle()

    def _say(self, kind: Literal["text", "refusal"], value: str) -> None:
        """Text behind a call has no place: its step stays open, and two may not be at once."""
        if self.waiting_step is None:
            self._message.say(kind, value)
        else:
            logger.warning("text behind a tool call is left out", extra={"characters": len(value)})
