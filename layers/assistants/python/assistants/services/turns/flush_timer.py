"""The times at which a worker flushes its events, and checks whether it may go on."""

import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass

from assistants.ports.chat_model import Delta
from assistants.ports.clock import Clock

WATCHED_SECONDS = 0.08  # between two writes while a client reads the stream
UNWATCHED_SECONDS = 1.0
CHECK_SECONDS = 1.0  # of silence, after which the journal is read for a cancel


@dataclass(frozen=True, slots=True)
class Tick:
    """A delta, or none; and whether it is time to flush, or to check the journal."""

    delta: Delta | None
    flush: bool
    check: bool


class _EndOfStreamError(Exception):
    """Raised when the provider's stream has ended without an error."""


class _End:
    """Sentinel: how the provider's stream ended."""

    def __init__(self, error: BaseException) -> None:
        self.error = error


def flush_ticks(deltas: Iterator[Delta], *, watched: bool, clock: Clock) -> Iterator[Tick]:
    """Yield a tick per delta, and ticks without a delta while the model is silent.

    A thread reads the model, because a cancel must be noticed during silence. The first delta of
    a watched run is flushed at once. Raises the error that reading the model raised.
    """
    inbox: queue.SimpleQueue[Delta | _End] = queue.SimpleQueue()
    stopped = threading.Event()
    threading.Thread(target=_read, args=(deltas, inbox, stopped), daemon=True).start()
    period = WATCHED_SECONDS if watched else UNWATCHED_SECONDS
    now = clock.time()
    flush_at = now if watched else now + period
    check_at = now + CHECK_SECONDS
    unflushed = False
    try:
        while True:
            wake_at = min(flush_at, check_at) if unflushed else check_at
            delta = _next(inbox, max(0.0, wake_at - clock.time()))
            unflushed = unflushed or delta is not None
            now = clock.time()
            flush, check = unflushed and now >= flush_at, now >= check_at
            yield Tick(delta, flush, check)
            if flush:
                unflushed, flush_at = False, now + period
            if flush or check:
                check_at = now + CHECK_SECONDS
    except _EndOfStreamError:
        return
    finally:
        stopped.set()


def _next(inbox: queue.SimpleQueue[Delta | _End], timeout: float) -> Delta | None:
    try:
        item = inbox.get(timeout=timeout)
    except queue.Empty:
        return None
    if isinstance(item, _End):
        raise item.error
    return item


def _read(
    deltas: Iterator[Delta], inbox: queue.SimpleQueue[Delta | _End], stopped: threading.Event
) -> None:
    try:
        for delta in deltas:
            if stopped.is_set():
                return
            inbox.put(delta)
    except BaseException as error:  # raised again in the thread that reads the inbox
        inbox.put(_End(error))
    else:
        inbox.put(_End(_EndOfStreamError()))
