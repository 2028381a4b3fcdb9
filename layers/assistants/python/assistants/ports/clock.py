"""Time."""

from typing import Protocol


class Clock(Protocol):
    def time(self) -> float:
        """Unix seconds."""
        ...

    def sleep(self, seconds: float) -> None: ...
