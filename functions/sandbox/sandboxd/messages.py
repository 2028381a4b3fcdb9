"""The messages of a kernel, parsed from its frames and checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .channel import Frame, ProtocolError

_MAX_NAME = 100


@dataclass(frozen=True)
class KernelReady:
    """The kernel is confined and waits for code."""

    landlock: int


@dataclass(frozen=True)
class Shown:
    """The code displays something, which may be an image."""

    mime: object
    data: object


@dataclass(frozen=True)
class Done:
    """The execution of this number has ended, with or without the name of an exception."""

    execution: int
    error: str | None


Message = KernelReady | Shown | Done


def parse(frame: Frame) -> Message:
    """Return the message in a frame. Raises ProtocolError."""
    match frame:
        case {"type": "ready", "landlock": int(abi)}:
            return KernelReady(abi)
        case {"type": "image", "mime": mime, "data": data}:
            return Shown(mime, data)
        case {"type": "done", "id": int(execution), "error": None}:
            return Done(execution, None)
        case {"type": "done", "id": int(execution), "error": str(error)}:
            return Done(execution, _name(error))
    raise ProtocolError("a frame has no known type")


def _name(error: Any) -> str:
    printable = "".join(c for c in error if c.isprintable())
    return printable[:_MAX_NAME]
