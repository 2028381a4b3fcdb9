"""The output of an execution, of which a budget keeps the beginning and the end."""

from __future__ import annotations

MAX_KEPT_BYTES = 64 << 10
MAX_PRINTED_BYTES = 10 << 20
_HALF = MAX_KEPT_BYTES // 2


class Logs:
    """Standard output and error of one execution, in the order they were written."""

    def __init__(self) -> None:
        """Start without output."""
        self.total = 0
        self._head = bytearray()
        self._tail = bytearray()

    def write(self, printed: bytes) -> None:
        """Add output that was read from the pipe."""
        self.total += len(printed)
        room = _HALF - len(self._head)
        self._head += printed[:room]
        self._tail += printed[room:] if room > 0 else printed
        del self._tail[:-_HALF]

    @property
    def truncated(self) -> bool:
        """Return whether something between beginning and end was dropped."""
        return self.total > len(self._head) + len(self._tail)

    @property
    def over_budget(self) -> bool:
        """Return whether the execution has printed so much that it should stop."""
        return self.total > MAX_PRINTED_BYTES

    def text(self) -> str:
        """Return the kept output as text, with a note if something was dropped."""
        if not self.truncated:
            return (self._head + self._tail).decode(errors="replace")
        dropped = self.total - len(self._head) - len(self._tail)
        head, tail = (part.decode(errors="replace") for part in (self._head, self._tail))
        return f"{head}\n... [{dropped} bytes left out] ...\n{tail}"
