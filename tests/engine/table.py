"""The fake table as several processes share it: each call is a stop, each write is watched."""

from collections.abc import Callable, Mapping
from typing import Any

from assistants.ports.table import ConflictError, Key, Row, Write
from tests.engine.schedule import current, stop
from tests.support.fakes import FakeTable

Rows = Mapping[Key, Row]
Watch = Callable[[Rows, Rows], None]


class SharedTable(FakeTable):
    """Calls `watch` with the rows before and after each commit that took effect, and keeps its
    first complaint in `violation`, where no error handler of the service catches it.
    """

    def __init__(self, watch: Watch) -> None:
        super().__init__()
        self.violation: AssertionError | None = None
        self._watch = watch

    def get(self, *keys: Key) -> list[Row | None]:
        stop("a read")
        return super().get(*keys)

    def query(self, *arguments: Any, **options: Any) -> list[Row]:
        stop("a query")
        return super().query(*arguments, **options)

    def due(self, until: int, *, limit: int) -> list[Key]:
        stop("a look at what is due")
        return super().due(until, limit=limit)

    def commit(self, *writes: Write) -> None:
        stop("a write")
        before = dict(self.rows)
        super().commit(*writes)
        try:
            self._watch(before, self.rows)
        except AssertionError as violation:
            self.violation = self.violation or violation
        self._repeat(writes)

    def _repeat(self, writes: tuple[Write, ...]) -> None:
        """Send a write again whose answer was lost, as the SDK does. DynamoDB recognizes a
        transaction by its token, but not a single write.
        """
        actor = current()
        if actor is not None and actor.repeats_write and len(writes) == 1:
            actor.repeats_write = False
            try:
                super().commit(*writes)
            except ConflictError as conflict:
                raise conflict from None
