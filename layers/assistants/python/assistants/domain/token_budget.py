"""Limits how much of a conversation a model gets, in tokens, which are counted only if needed."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

MESSAGE_OVERHEAD = 4  # tokens around each message, by OpenAI's published count for chat models
IMAGE_TOKENS = {"low": 85, "high": 1105, "auto": 1105}  # OpenAI's published costs up to 1024 px


@dataclass
class TokenBudget:
    """The tokens that are left, `left`.

    A token has at least one byte, so a text is charged one token per byte. Tokens are counted only
    when these estimates exceed the budget.
    """

    left: int
    count: Callable[[str], int]
    _uncounted: list[str] = field(default_factory=list)

    def take(self, message: dict[str, Any]) -> bool:
        """Spend the tokens of a message if they fit; otherwise leave none for those after it."""
        text = _text(message)
        cost = MESSAGE_OVERHEAD + _images(message)
        size = len(text.encode())
        if size + cost > self.left:
            self._count()
        if size + cost <= self.left:
            self._uncounted.append(text)
            self.left -= size + cost
            return True
        cost += self.count(text)
        fits = cost <= self.left
        self.left = self.left - cost if fits else 0
        return fits

    def _count(self) -> None:
        """Replace the estimates so far by token counts, and refund the difference."""
        for text in self._uncounted:
            self.left += len(text.encode()) - self.count(text)
        self._uncounted.clear()


def _text(message: dict[str, Any]) -> str:
    content = message.get("content") or ""
    if not isinstance(content, str):
        content = " ".join(part["text"] for part in content if part["type"] == "text")
    calls = message.get("tool_calls")
    return content + (json.dumps(calls) if calls else "")


def _images(message: dict[str, Any]) -> int:
    content = message.get("content")
    parts = content if isinstance(content, list) else []
    images = (part[part["type"]] for part in parts if part["type"] != "text")
    return sum(IMAGE_TOKENS[image.get("detail", "auto")] for image in images)
