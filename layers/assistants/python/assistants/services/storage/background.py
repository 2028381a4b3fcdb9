"""Work that nobody waits for."""

import threading
from collections.abc import Callable

from assistants.telemetry import logger

Background = Callable[[Callable[[], None]], None]


def in_background(work: Callable[[], None]) -> None:
    """Do something beside what the caller does; what goes wrong is logged. In a function it may be
    broken off with the answer: it must be safe to do again, or not to have been done.
    """

    def run() -> None:
        try:
            work()
        except Exception:  # the edge of the thread
            logger.exception("work in the background failed")

    threading.Thread(target=run, daemon=True).start()
