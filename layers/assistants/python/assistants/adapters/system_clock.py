"""The system's clock."""

import time


class SystemClock:
    """Implements `Clock`."""

    def time(self) -> float:
        return time.time()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)
