"""The table: rows with a key, a body and a revision, written in transactions."""

from dataclasses import dataclass, replace
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Key:
    """A partition key and a sort key, by which the rows of a partition are ordered."""

    partition: str
    sort: str


@dataclass(frozen=True, slots=True)
class Row:
    """A row. `revision` changes with each write.

    `due_at` puts the row into the index of due rows; after `ttl` the table deletes it. Both are in
    Unix seconds.
    """

    key: Key
    body: dict[str, Any]
    revision: str = "1"
    due_at: int | None = None
    ttl: int | None = None

    def changed(self, body: dict[str, Any], *, due_at: int | None = None) -> "Row":
        """Return the next revision of this row."""
        return replace(self, body=body, revision=str(int(self.revision) + 1), due_at=due_at)


@dataclass(frozen=True, slots=True)
class Create:
    """Write a row that must not exist yet."""

    row: Row


@dataclass(frozen=True, slots=True)
class Save:
    """Write a row over any older one."""

    row: Row


@dataclass(frozen=True, slots=True)
class Replace:
    """Write the next revision of `old` if `old` is still the newest one."""

    old: Row
    new: Row


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete a row: any revision, or only the given one.

    A row that does not exist is a conflict only if it is `expected`.
    """

    key: Key
    revision: str | None = None
    expected: bool = False


@dataclass(frozen=True, slots=True)
class Require:
    """Write nothing, but require that a row exists, or (`present=False`) that it does not."""

    key: Key
    present: bool = True


Write = Create | Save | Replace | Delete | Require


class ConflictError(Exception):
    """Raised when a condition does not hold; nothing was written.

    `failed` maps the position of each write that was refused to the row found there, if any.
    """

    def __init__(self, failed: dict[int, Row | None]) -> None:
        super().__init__(f"writes {sorted(failed)} met another state")
        self.failed = failed


class Table(Protocol):
    """Reads are strongly consistent unless a parameter says otherwise.

    Every method raises `RateLimitError` when the table stays throttled.
    """

    def get(self, *keys: Key) -> list[Row | None]:
        """Return the rows in the order of the keys, None for a key without a row."""
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
        """Return at most `limit` rows whose sort key begins with `prefix`.

        `after` and `before` are exclusive bounds of the sort key: the lower and the upper one, also
        when the rows are `descending`.
        """
        ...

    def commit(self, *writes: Write) -> None:
        """Apply all writes in one transaction. Raises `ConflictError`."""
        ...

    def keys(self, partition: str, prefix: str, *, limit: int) -> list[Key]:
        """Return the first `limit` keys of a partition whose sort key begins with `prefix`."""
        ...

    def clear(self, partition: str, *, limit: int) -> bool:
        """Delete at most `limit` rows of a partition; after the last row, its large values.

        Return True when nothing is left.
        """
        ...

    def due(self, until: int, *, limit: int) -> list[Key]:
        """Return the keys of rows whose `due_at` (Unix seconds) is not later than `until`.

        The index is eventually consistent: the newest writes may be missing.
        """
        ...
