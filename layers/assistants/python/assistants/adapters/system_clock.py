"""The system's clock."""

import time


class SystemClock:
    """Implement `Clock`."""

    def time(self) -> float:
        return time.time()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)
