"""Asynchronous invocation: accepted at once, run later, retried as Lambda does."""

import threading
from functools import partial

from infra.local.functions import HostedFunction, TooManyRequestsError
from infra.local.invocation import FunctionError
from infra.local.timers import Timers

# https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
RETRY_DELAYS_SECONDS = (60, 120)
THROTTLE_DELAY_SECONDS = 1


class AsynchronousInvoker:
    """Invoke functions for callers that do not wait; drop an event after its last retry."""

    def __init__(self, timers: Timers) -> None:
        self._timers = timers

    def invoke(self, function: HostedFunction, payload: bytes, attempt: int = 0) -> None:
        run = partial(self._run, function, payload, attempt)
        threading.Thread(target=run, daemon=True).start()

    def _run(self, function: HostedFunction, payload: bytes, attempt: int) -> None:
        again = partial(self.invoke, function, payload)
        try:
            function.invoke(payload).response()
        except TooManyRequestsError:
            self._timers.call_later(THROTTLE_DELAY_SECONDS, partial(again, attempt))
        except FunctionError:
            if attempt < len(RETRY_DELAYS_SECONDS):
                delay = RETRY_DELAYS_SECONDS[attempt]
                self._timers.call_later(delay, partial(again, attempt + 1))
