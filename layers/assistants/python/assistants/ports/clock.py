"""Time."""

from typing import Protocol


class Clock(Protocol):
    def time(self) -> float:
        """Return the time in Unix seconds."""
        ...

    def sleep(self, seconds: float) -> None: ...
