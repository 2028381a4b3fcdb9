"""The store on one DynamoDB table, with values that are too large for a row in S3."""

import random
import time
import zlib
from collections.abc import Iterable
from typing import Any

from pynamodb.attributes import BinaryAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import (
    CancellationReason,
    DeleteError,
    DoesNotExist,
    PutError,
    PynamoDBException,
    TransactWriteError,
)
from pynamodb.expressions.condition import Condition
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection
from pynamodb.models import Model

from assistants.adapters.large_values import LargeValues
from assistants.domain.errors import RateLimited
from assistants.ports.store import (
    Conflict,
    Create,
    Delete,
    Key,
    Replace,
    Require,
    Row,
    Save,
    Write,
)

DUE_SHARDS = 8
_TRIES = 12
_LONGEST_PAUSE_SECONDS = 1.0
# Below and above every character that our sort keys are made of.
_LOWEST, _HIGHEST = "!", "~"
_REFUSED = "ConditionalCheckFailed"


class DueIndex(GlobalSecondaryIndex["Item"]):  # type: ignore[no-untyped-call]
    """The rows that `expire` will look at, by time; everything else is not in it."""

    class Meta:
        index_name = "due"
        projection = KeysOnlyProjection()

    due_pk = UnicodeAttribute(hash_key=True)
    due_at = NumberAttribute(range_key=True)


class Item(Model):
    """One row. `body` is compressed JSON, or `value` names the S3 object that holds it."""

    class Meta:
        table_name = ""

    due = DueIndex()
    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    revision = UnicodeAttribute()
    body = BinaryAttribute(legacy_encoding=False, null=True)
    value = UnicodeAttribute(null=True)
    due_pk = UnicodeAttribute(null=True)
    due_at = NumberAttribute(null=True)
    ttl = NumberAttribute(null=True)


def item_model(table: str) -> type[Item]:
    """The model of one table. Endpoint and region come from the environment."""

    class TableItem(Item):
        class Meta:
            table_name = table

    return TableItem


class DynamoStore:
    def __init__(self, item: type[Item], values: LargeValues) -> None:
        self._item = item
        self._values = values

    def get(self, *keys: Key) -> list[Row | None]:
        if len(keys) == 1:
            return [self._get(keys[0])]
        pairs = [(key.partition, key.sort) for key in keys]
        items = list(self._item.batch_get(pairs, consistent_read=True)) if pairs else []
        found = {row.key: row for row in self._rows(items)}
        return [found.get(key) for key in keys]

    def _get(self, key: Key) -> Row | None:
        try:
            item = self._item.get(key.partition, key.sort, consistent_read=True)
        except DoesNotExist:
            return None
        return self._rows([item])[0]

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
        # A sort key condition can only be BETWEEN, which includes its bounds.
        low = prefix + _LOWEST if after is None else after + _LOWEST
        high = prefix + _HIGHEST if before is None else before
        if low > high:
            return []
        items = self._item.query(
            partition,
            self._item.sk.between(low, high),
            limit=limit + (before is not None),
            consistent_read=consistent,
            scan_index_forward=not descending,
        )
        return self._rows([item for item in items if item.sk != before][:limit])

    def commit(self, *writes: Write) -> None:
        for write in writes:
            if row := _written(write):
                self._values.keep(row)
        for attempt in range(_TRIES):
            try:
                self._commit(writes)
            except _Busy:
                pause = min(_LONGEST_PAUSE_SECONDS, 0.01 * 2**attempt)
                time.sleep(random.uniform(0, pause))  # noqa: S311 - jitter, not a secret
            else:
                return
        raise RateLimited(
            "The server is currently overloaded. Please try again later.",
            code="rate_limit_exceeded",
        )

    def keys(self, partition: str, prefix: str, *, limit: int) -> list[Key]:
        items = self._item.query(
            partition,
            self._item.sk.startswith(prefix) if prefix else None,
            limit=limit,
            consistent_read=True,
            attributes_to_get=["pk", "sk"],
        )
        return [Key(item.pk, item.sk) for item in items]

    def clear(self, partition: str, *, limit: int) -> bool:
        keys = self.keys(partition, "", limit=limit)
        with self._item.batch_write() as batch:
            for key in keys:
                batch.delete(self._item(key.partition, key.sort))
        if len(keys) == limit:
            return False
        return self._values.forget(partition)

    def due(self, until: int, *, limit: int) -> list[Key]:
        found = [
            (item.due_at, Key(item.pk, item.sk))
            for shard in range(DUE_SHARDS)
            for item in self._due_in(shard, until, limit)
        ]
        return [key for _, key in sorted(found, key=lambda one: one[0])][:limit]

    def _due_in(self, shard: int, until: int, limit: int) -> Iterable[Item]:
        not_later: Condition = DueIndex.due_at <= until
        return self._item.due.query(f"D#{shard}", not_later, limit=limit)

    def _commit(self, writes: tuple[Write, ...]) -> None:
        try:
            if len(writes) == 1:
                self._commit_one(writes[0])
            else:
                self._commit_all(writes)
        except (PutError, DeleteError, TransactWriteError) as error:
            raise self._understood(error, writes) from error

    def _commit_one(self, write: Write) -> None:
        condition = self._condition(write)
        if row := _written(write):
            self._to_item(row).save(condition)
        elif isinstance(write, Delete):
            self._item(write.key.partition, write.key.sort).delete(condition)
        else:
            raise TypeError("a condition alone writes nothing")

    def _commit_all(self, writes: tuple[Write, ...]) -> None:
        checks, deletes, puts = _by_kind(writes)
        connection = self._item(None, None)._get_connection().connection
        connection.transact_write_items(
            condition_check_items=[self._keyed(writes[n]) for n in checks],
            delete_items=[self._keyed(writes[n]) for n in deletes],
            put_items=[self._put(writes[n]) for n in puts],
            update_items=[],
        )

    def _keyed(self, write: Write) -> dict[str, Any]:
        key = _key(write)
        return _with_old_item(
            self._item.get_operation_kwargs_from_class(
                key.partition, key.sort, condition=self._condition(write)
            )
        )

    def _put(self, write: Write) -> dict[str, Any]:
        row = _written(write)
        assert row is not None  # noqa: S101 - by `_by_kind`
        item = self._to_item(row)
        return _with_old_item(item.get_save_kwargs_from_instance(condition=self._condition(write)))

    def _condition(self, write: Write) -> Condition | None:
        item = self._item
        match write:
            case Create():
                return item.pk.does_not_exist()
            case Replace(old, _):
                return item.revision == old.revision
            case Delete(_, None, expected):
                return item.pk.exists() if expected else None
            case Delete(_, revision, expected):
                unchanged = item.revision == revision
                return unchanged if expected else item.pk.does_not_exist() | unchanged
            case Require(_, present):
                return item.pk.exists() if present else item.pk.does_not_exist()
            case _:
                return None

    def _understood(self, error: PynamoDBException, writes: tuple[Write, ...]) -> Exception:
        if error.cause_response_code == "ConditionalCheckFailedException":
            return Conflict({0: None})
        if error.cause_response_code in _BUSY:
            return _Busy()
        if not isinstance(error, TransactWriteError):
            return error
        sent = [position for kind in _by_kind(writes) for position in kind]
        reasons = dict(zip(sent, error.cancellation_reasons, strict=False))
        refused = {
            position: self._old(reason)
            for position, reason in reasons.items()
            if reason and reason.code == _REFUSED
        }
        if refused:
            return Conflict(refused)
        codes = {reason.code for reason in error.cancellation_reasons if reason}
        return _Busy() if codes and codes <= _BUSY_REASONS else error

    def _old(self, reason: CancellationReason) -> Row | None:
        if not reason.raw_item:
            return None
        return self._rows([self._item.from_raw_data(reason.raw_item)])[0]

    def _to_item(self, row: Row) -> Item:
        body, value = self._values.place(row)
        return self._item(
            row.key.partition,
            row.key.sort,
            revision=row.revision,
            body=body,
            value=value,
            due_pk=None if row.due_at is None else _due_shard(row.key),
            due_at=row.due_at,
            ttl=row.ttl,
        )

    def _rows(self, items: Iterable[Item]) -> list[Row]:
        items = list(items)
        bodies = self._values.load([(item.body, item.value) for item in items])
        return [
            Row(
                Key(item.pk, item.sk),
                body,
                revision=item.revision,
                due_at=None if item.due_at is None else int(item.due_at),
                ttl=None if item.ttl is None else int(item.ttl),
            )
            for item, body in zip(items, bodies, strict=True)
        ]


class _Busy(Exception):
    """Raise when the same write can succeed in a moment."""


_BUSY = frozenset(
    {
        "TransactionConflictException",
        "TransactionInProgressException",
        "ProvisionedThroughputExceededException",
        "ThrottlingException",
        "RequestLimitExceeded",
        "InternalServerError",
    }
)
_BUSY_REASONS = frozenset(
    {"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"}
)


def _written(write: Write) -> Row | None:
    match write:
        case Create(row) | Save(row) | Replace(_, row):
            return row
        case _:
            return None


def _key(write: Write) -> Key:
    row = _written(write)
    if row is not None:
        return row.key
    assert isinstance(write, Delete | Require)  # noqa: S101 - the only ones without a row
    return write.key


def _by_kind(writes: tuple[Write, ...]) -> tuple[list[int], list[int], list[int]]:
    """The positions of conditions, deletions and puts: pynamodb sends a transaction so sorted."""
    checks = [n for n, write in enumerate(writes) if isinstance(write, Require)]
    deletes = [n for n, write in enumerate(writes) if isinstance(write, Delete)]
    puts = [n for n, write in enumerate(writes) if _written(write)]
    return checks, deletes, puts


def _with_old_item(arguments: dict[str, Any]) -> dict[str, Any]:
    """Ask for the row that refused the write, so that the error can name what holds it."""
    return {**arguments, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}


def _due_shard(key: Key) -> str:
    return f"D#{zlib.crc32(f'{key.partition}{key.sort}'.encode()) % DUE_SHARDS}"
