"""Patience with IAM, which takes some seconds to know a new policy everywhere."""

import time
from collections.abc import Callable
from typing import TypeVar

from botocore.exceptions import ClientError

from assistants.settings import InvalidSettingsError

TRIES, PAUSE_SECONDS = 12, 5.0
_DENIED = frozenset({"AccessDenied", "AccessDeniedException"})

Answer = TypeVar("Answer")


def wait_for_rights(
    call: Callable[[], Answer], pause: Callable[[float], None] = time.sleep
) -> Answer:
    """Return what `call` returns; repeat it while AWS denies it. Raises what it raises."""
    for _ in range(TRIES - 1):
        try:
            return call()
        except InvalidSettingsError as error:
            cause = error.__cause__
            if not isinstance(cause, ClientError) or cause.response["Error"]["Code"] not in _DENIED:
                raise
        pause(PAUSE_SECONDS)
    return call()
