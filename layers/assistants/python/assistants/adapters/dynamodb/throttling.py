"""A table that is busy: how that is told, and how long it is asked again."""

import random
import time
from collections.abc import Callable
from typing import TypeVar

from pynamodb.exceptions import PynamoDBException

from assistants.domain.errors import RateLimitError

T = TypeVar("T")

PATIENCE_SECONDS = 6.0  # with the SDK's own tries this stays below the 29 s of an API request
_LONGEST_PAUSE_SECONDS = 1.0
_CODES = frozenset(
    {
        "TransactionConflictException",
        "TransactionInProgressException",
        "ProvisionedThroughputExceededException",
        "ThrottlingException",
        "RequestLimitExceeded",
        "InternalServerError",
    }
)


class ThrottledError(Exception):
    """Raise when the same call can succeed in a moment."""


def is_busy(error: Exception) -> bool:
    return isinstance(error, PynamoDBException) and error.cause_response_code in _CODES


def patiently(call: Callable[[], T]) -> T:
    """What `call` returns, tried again while the table is busy. Raises `RateLimitError`."""
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    pause = 0.01
    while True:
        try:
            return call()
        except (ThrottledError, PynamoDBException) as error:
            if not (isinstance(error, ThrottledError) or is_busy(error)):
                raise
            if time.monotonic() >= give_up_at:
                raise RateLimitError(
                    "The server is currently overloaded. Please try again later.",
                    code="rate_limit_exceeded",
                ) from error
        time.sleep(random.uniform(0, pause))  # noqa: S311 - jitter, not a secret
        pause = min(_LONGEST_PAUSE_SECONDS, 2 * pause)
