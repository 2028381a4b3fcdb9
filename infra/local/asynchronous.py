"""Asynchronous invocation: accepted at once, run later, retried as Lambda does."""

import threading
from dataclasses import dataclass, replace
from functools import partial

from infra.local.functions import HostedFunction, TooManyRequestsError
from infra.local.invocation import FunctionError
from infra.local.lineage import RecursiveInvocationError
from infra.local.timers import Timers

# https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
RETRY_DELAYS_SECONDS = (60, 120)
LONGEST_THROTTLE_DELAY_SECONDS = 300  # the delay begins with 1, and doubles


@dataclass(frozen=True)
class _Event:
    """An event that waits for its function; `errors` and `throttles` are its failed attempts."""

    function: HostedFunction
    payload: bytes
    trace: str
    errors: int = 0
    throttles: int = 0


class AsynchronousInvoker:
    """Invoke functions for callers that do not wait; drop an event after its last retry."""

    def __init__(self, timers: Timers) -> None:
        self._timers = timers

    def invoke(self, function: HostedFunction, payload: bytes, trace: str = "") -> None:
        self._start(_Event(function, payload, trace))

    def _start(self, event: _Event) -> None:
        threading.Thread(target=self._run, args=(event,), daemon=True).start()

    def _run(self, event: _Event) -> None:
        try:
            event.function.invoke(event.payload, event.trace).response()
        except RecursiveInvocationError:
            return
        except TooManyRequestsError:
            delay = min(2**event.throttles, LONGEST_THROTTLE_DELAY_SECONDS)
            self._retry(delay, replace(event, throttles=event.throttles + 1))
        except FunctionError:
            if event.errors < len(RETRY_DELAYS_SECONDS):
                delay = RETRY_DELAYS_SECONDS[event.errors]
                self._retry(delay, replace(event, errors=event.errors + 1))

    def _retry(self, seconds: float, event: _Event) -> None:
        self._timers.call_later(seconds, partial(self._start, event))
