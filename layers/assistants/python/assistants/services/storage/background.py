"""Run work without waiting for it."""

import threading
from collections.abc import Callable

from assistants.telemetry import logger

Background = Callable[[Callable[[], None]], None]


def in_background(work: Callable[[], None]) -> None:
    """Run `work` in a thread of its own, and log any exception.

    Lambda may freeze the thread once the function returns, so the work must be safe to repeat and
    safe to lose.
    """

    def run() -> None:
        try:
            work()
        except Exception:  # the edge of the thread
            logger.exception("work in the background failed")

    threading.Thread(target=run, daemon=True).start()
