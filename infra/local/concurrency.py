"""How many invocations an account runs at once, over all of its functions.

https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html
"""

import threading
from collections import Counter

LIMIT = 1000  # AWS's default quota; many new accounts have 10


class AccountConcurrency:
    """The invocations that run now, and the most that ran at once since `reset`."""

    def __init__(self, limit: int = LIMIT) -> None:
        self.limit = limit
        self.throttles: Counter[str] = Counter()
        self._running: Counter[str] = Counter()
        self._peak: Counter[str] = Counter()
        self._lock = threading.Lock()

    @property
    def peak(self) -> Counter[str]:
        """Return the functions that ran when the most did."""
        return Counter(self._peak)

    def take(self, function: str) -> bool:
        """Count one more invocation, or return False if the account runs as many as it may."""
        with self._lock:
            if self._running.total() >= self.limit:
                self.throttles[function] += 1
                return False
            self._running[function] += 1
            if self._running.total() > self._peak.total():
                self._peak = +self._running
            return True

    def release(self, function: str) -> None:
        """Count one invocation less."""
        with self._lock:
            self._running[function] -= 1

    def reset(self) -> None:
        """Forget the highest number and the throttles so far."""
        with self._lock:
            self._peak = +self._running
            self.throttles.clear()
