"""Retries while the table is throttled or a transaction conflicts with another."""

import random
import time
from collections.abc import Callable
from typing import TypeVar

from pynamodb.exceptions import PynamoDBException

from assistants.domain.errors import RateLimitError

T = TypeVar("T")

PATIENCE_SECONDS = 6.0  # with the SDK's own retries, below the 29 s of a request to API Gateway
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
    """Raised when a transaction was cancelled for a reason that passes."""


def is_busy(error: Exception) -> bool:
    """Return whether DynamoDB may accept the same call in a moment."""
    return isinstance(error, PynamoDBException) and error.cause_response_code in _CODES


def retrying(call: Callable[[], T]) -> T:
    """Retry `call` while the table is busy; return its result. Raises `RateLimitError`."""
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
