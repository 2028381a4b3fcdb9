"""When a worker writes down what the model has said, and when it looks whether it may go on."""

import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass

from assistants.ports.chat_model import Delta
from assistants.ports.clock import Clock

WATCHED_SECONDS = 0.08  # between two writes while a client reads the stream
UNWATCHED_SECONDS = 1.0
LOOK_SECONDS = 1.0  # of silence, after which the journal is read for a cancel


@dataclass(frozen=True, slots=True)
class Tick:
    """A delta, or none; and whether it is time to write, or to look."""

    delta: Delta | None
    write: bool
    look: bool


class _Ended(Exception):
    """Raise when the reader has put down all that there was."""


class _End:
    """The last thing that the reader puts down: how the stream ended."""

    def __init__(self, error: BaseException) -> None:
        self.error = error


def paced(deltas: Iterator[Delta], *, watched: bool, clock: Clock) -> Iterator[Tick]:
    """The deltas as they come, and ticks without one while the model is silent.

    A thread reads the model, because a cancel must be noticed while it says nothing. The first
    delta of a watched run is written at once. Raises what reading the model raised.
    """
    inbox: queue.SimpleQueue[Delta | _End] = queue.SimpleQueue()
    stopped = threading.Event()
    threading.Thread(target=_read, args=(deltas, inbox, stopped), daemon=True).start()
    period = WATCHED_SECONDS if watched else UNWATCHED_SECONDS
    now = clock.time()
    write_at = now if watched else now + period
    look_at = now + LOOK_SECONDS
    unwritten = False
    try:
        while True:
            wake_at = min(write_at, look_at) if unwritten else look_at
            delta = _next(inbox, max(0.0, wake_at - clock.time()))
            unwritten = unwritten or delta is not None
            now = clock.time()
            write, look = unwritten and now >= write_at, now >= look_at
            yield Tick(delta, write, look)
            if write:
                unwritten, write_at = False, now + period
            if write or look:
                look_at = now + LOOK_SECONDS
    except _Ended:
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
    except BaseException as error:  # it is raised again in the thread that waits
        inbox.put(_End(error))
    else:
        inbox.put(_End(_Ended()))
