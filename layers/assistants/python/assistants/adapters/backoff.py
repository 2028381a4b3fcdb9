"""Exponential backoff between retries."""

import random
import time

_FIRST_SECONDS = 0.25
_LONGEST_SECONDS = 8.0


def pause(attempt: int, retry_after: str | None = None) -> None:
    """Sleep after failed `attempt` (from 1), by `Retry-After` if it is a number of seconds."""
    seconds = _FIRST_SECONDS * 2**attempt * random.uniform(0.5, 1)  # noqa: S311 - jitter, no secret
    if retry_after and retry_after.isdigit():
        seconds = float(retry_after)
    time.sleep(min(seconds, _LONGEST_SECONDS))
