"""The fake table as several processes see it: with stops between what they do, and watched."""

from collections.abc import Callable, Mapping

from assistants.ports.table import ConflictError, Key, Row, Write
from tests.engine.schedule import current, stop
from tests.support.fakes import FakeTable

Rows = Mapping[Key, Row]
Watch = Callable[[Rows, Rows], None]


class SharedTable(FakeTable):
    """`watch` gets the rows before and after each commit that took effect; what it objects to is
    kept in `violation`, out of reach of those who handle errors.
    """

    def __init__(self, watch: Watch) -> None:
        super().__init__()
        self.violation: AssertionError | None = None
        self._watch = watch

    def get(self, *keys: Key) -> list[Row | None]:
        stop("a read")
        return super().get(*keys)

    def query(
        self,
        partition: str,
        prefix: str,
        *,
        after: str | None = None,
        before: str | None = None,
        limit: int,
        descending: bool = False,
        consistent: bool = True,
    ) -> list[Row]:
        stop("a query")
        return super().query(
            partition, prefix, after=after, before=before, limit=limit, descending=descending
        )

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
        """The answer is lost and the SDK sends the write again; a transaction carries a token by
        which DynamoDB knows it, a single write does not.
        """
        actor = current()
        if actor is not None and actor.echo and len(writes) == 1:
            actor.echo = False
            try:
                super().commit(*writes)
            except ConflictError as conflict:
                raise conflict from None
