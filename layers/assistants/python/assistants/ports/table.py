"""The one table: rows with a place, a body and a revision, written together or not at all."""

from dataclasses import dataclass, replace
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Key:
    """A row's place: the partition it shares with its siblings, and its order among them."""

    partition: str
    sort: str


@dataclass(frozen=True, slots=True)
class Row:
    """`revision` changes with each write. `due_at` puts the row into the index that `expire`
    reads, `ttl` lets the table forget it; both are Unix seconds.
    """

    key: Key
    body: dict[str, Any]
    revision: str = "1"
    due_at: int | None = None
    ttl: int | None = None

    def changed(self, body: dict[str, Any], *, due_at: int | None = None) -> "Row":
        """The next revision of this row."""
        return replace(self, body=body, revision=str(int(self.revision) + 1), due_at=due_at)


@dataclass(frozen=True, slots=True)
class Create:
    """Write a row that must not exist yet."""

    row: Row


@dataclass(frozen=True, slots=True)
class Save:
    """Write a row, whatever was there."""

    row: Row


@dataclass(frozen=True, slots=True)
class Replace:
    """Write the next revision of `old`, if `old` is still the newest."""

    old: Row
    new: Row


@dataclass(frozen=True, slots=True)
class Delete:
    """Remove a row. With a `revision`: only that one. A row that is gone already is fine, unless
    it is `expected` to be there.
    """

    key: Key
    revision: str | None = None
    expected: bool = False


@dataclass(frozen=True, slots=True)
class Require:
    """Write nothing, but insist that a row exists, or (`present=False`) that it does not."""

    key: Key
    present: bool = True


Write = Create | Save | Replace | Delete | Require


class ConflictError(Exception):
    """Raise when a condition does not hold; nothing was written.

    `failed` maps the position of each write that was refused to the row found there, if any.
    """

    def __init__(self, failed: dict[int, Row | None]) -> None:
        super().__init__(f"writes {sorted(failed)} met another state")
        self.failed = failed


class Table(Protocol):
    """Reads are consistent unless said otherwise. Raises `RateLimitError` when it stays
    throttled.
    """

    def get(self, *keys: Key) -> list[Row | None]:
        """The rows in the order of the keys, None where there is none."""
        ...

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
        """At most `limit` rows whose sort key begins with `prefix`, between two exclusive bounds.

        `after` and `before` are sort keys in the order of the table (ascending), whatever the
        direction of the answer.
        """
        ...

    def commit(self, *writes: Write) -> None:
        """All writes or none. Raises `ConflictError`."""
        ...

    def keys(self, partition: str, prefix: str, *, limit: int) -> list[Key]:
        """The first `limit` keys of a partition, without the bodies."""
        ...

    def clear(self, partition: str, *, limit: int) -> bool:
        """Remove at most `limit` rows of a partition, and their large values with the last of
        them. True when nothing is left.
        """
        ...

    def due(self, until: int, *, limit: int) -> list[Key]:
        """Keys of rows whose `due_at` (Unix seconds) is not later than `until`, some seconds
        behind the truth.
        """
        ...
