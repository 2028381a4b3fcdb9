"""The control channel between daemon and kernel: length-prefixed JSON over a socketpair.

The process at the kernel's end may be hostile: every frame is bounded and must be an object.
"""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

MAX_FRAME_BYTES = 14 << 20  # an image of 10 MiB in base64, and its frame
_LENGTH = struct.Struct(">I")

Frame = dict[str, Any]


class ProtocolError(Exception):
    """Raised when the other side violates the protocol."""


def encode(message: Mapping[str, Any]) -> bytes:
    """Encode one frame."""
    body = json.dumps(message).encode()
    return _LENGTH.pack(len(body)) + body


def decode(body: bytes) -> Frame:
    """Decode the object in a frame. Raises ProtocolError."""
    try:
        message = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ProtocolError("a frame is not JSON") from error
    if not isinstance(message, dict):
        raise ProtocolError("a frame is not an object")
    return message


class FrameReader:
    """Split a stream of bytes into frames."""

    def __init__(self) -> None:
        """Start with an empty buffer."""
        self._buffer = bytearray()

    def feed(self, received: bytes) -> Iterator[Frame]:
        """Yield the frames that are complete now. Raises ProtocolError."""
        self._buffer += received
        while len(self._buffer) >= _LENGTH.size:
            end = _LENGTH.size + _LENGTH.unpack_from(self._buffer)[0]
            if end > MAX_FRAME_BYTES:
                raise ProtocolError("a frame is too large")
            if len(self._buffer) < end:
                return
            body = bytes(self._buffer[_LENGTH.size : end])
            del self._buffer[:end]
            yield decode(body)


class Channel:
    """The kernel's blocking end of the channel."""

    def __init__(self, descriptor: int) -> None:
        """Take over an inherited descriptor."""
        self._descriptor = descriptor
        os.set_inheritable(descriptor, False)
        # A fork of the code is not the kernel and must not send for it.
        os.register_at_fork(after_in_child=self._close)

    def _close(self) -> None:
        with suppress(OSError):
            os.close(self._descriptor)

    def send(self, message: Mapping[str, Any]) -> None:
        """Write one frame."""
        rest = memoryview(encode(message))
        while rest:
            rest = rest[os.write(self._descriptor, rest) :]

    def receive(self) -> Frame:
        """Wait for one frame. Raises EOFError when the daemon has gone."""
        return decode(self._read(_LENGTH.unpack(self._read(_LENGTH.size))[0]))

    def _read(self, count: int) -> bytes:
        parts = []
        while count:
            part = os.read(self._descriptor, count)
            if not part:
                raise EOFError("the daemon has gone")
            parts.append(part)
            count -= len(part)
        return b"".join(parts)
