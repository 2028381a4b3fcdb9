"""The streams of a run that are open at once, and the bounds of a stream's life.

Behind API Gateway a function does not notice that its client has gone. It would go on until the run
ends, and a client that reconnects would leave one such function after the other at work.
"""

from dataclasses import dataclass

from assistants.domain.ids import RunRef
from assistants.ports.clock import Clock
from assistants.ports.table import Create, Row, Table
from assistants.services.storage import keys

MOST = 3  # streams of one run; the oldest ends when there are more
CHECK_SECONDS = 15.0
SILENT_SECONDS = 300.0
LONGEST_SECONDS = 870.0  # the function and API Gateway end a response after 900, without a word
_TTL_SECONDS = 3600
_RESUME = "The run goes on: GET …/events with Last-Event-ID resumes its stream."


class StreamEndedError(Exception):
    """Raised when a stream must end before its run; the message is for its client."""


@dataclass(frozen=True)
class OpenStreams:
    """The rows of the streams that were resumed, in the order of their beginning.

    The stream that begins with its run has none, so that it costs nothing: it is the oldest anyway.
    """

    table: Table
    clock: Clock

    def add(self, ref: RunRef, order: str) -> None:
        """Record a stream, so that older ones see it."""
        ttl = int(self.clock.time()) + _TTL_SECONDS
        self.table.commit(Create(Row(keys.stream(ref, order), {}, ttl=ttl)))

    def are_newer(self, ref: RunRef, order: str) -> bool:
        """Return whether there are as many newer streams as a run may have."""
        after = keys.stream(ref, order).sort
        partition = keys.in_run(ref)
        rows = self.table.query(partition, keys.STREAMS, after=after, limit=MOST, consistent=False)
        return len(rows) == MOST


class StreamLife:
    """The bounds of one stream, which begins now; `order` is its place among those of its run."""

    def __init__(self, streams: OpenStreams, ref: RunRef, order: str) -> None:
        self._streams = streams
        self._ref = ref
        self._order = order
        self._began = self._checked = streams.clock.time()

    def check(self, now: float, last_activity: float) -> None:
        """Raise `StreamEndedError` if the stream must end."""
        if now - self._began >= LONGEST_SECONDS:
            raise StreamEndedError(f"A stream lasts at most 15 minutes. {_RESUME}")
        if now - last_activity >= SILENT_SECONDS:
            raise StreamEndedError(f"There was no event for 5 minutes. {_RESUME}")
        if now - self._checked >= CHECK_SECONDS:
            self._checked = now
            if self._streams.are_newer(self._ref, self._order):
                reason = f"Run {self._ref.run_id} has {MOST} newer streams."
                raise StreamEndedError(f"{reason} {_RESUME}")
