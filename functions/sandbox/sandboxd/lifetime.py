"""The lifetime of a session: an hour in all, twenty minutes without a request."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Literal

Ending = Literal["ttl", "idle"]


class Lifetime:
    """Decide when the session has to end."""

    def __init__(
        self,
        ttl_seconds: float,
        idle_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Start now."""
        self._clock, self._idle_seconds = clock, idle_seconds
        self._used_at = clock()
        self._ends_at = self._used_at + ttl_seconds

    def use(self) -> None:
        """Note that the session is in use."""
        self._used_at = self._clock()

    @property
    def seconds_left(self) -> float:
        """Return the seconds until the session ends, used or not; never negative."""
        return max(0.0, self._ends_at - self._clock())

    @property
    def over(self) -> Ending | None:
        """Return why the session has to end now, None while it may go on."""
        if self.seconds_left == 0:
            return "ttl"
        return "idle" if self._clock() - self._used_at >= self._idle_seconds else None
