"""Writes to the table: conditions, transactions, and the meaning of their errors."""

from typing import Any

from pynamodb.exceptions import (
    CancellationReason,
    DeleteError,
    PutError,
    PynamoDBException,
    TransactWriteError,
)
from pynamodb.expressions.condition import Condition

from assistants.adapters.dynamodb.items import Rows
from assistants.adapters.dynamodb.throttling import ThrottledError, is_busy, retrying
from assistants.ports.table import (
    ConflictError,
    Create,
    Delete,
    Key,
    Replace,
    Require,
    Row,
    Save,
    Write,
)

_REFUSED = "ConditionalCheckFailed"
_BUSY_REASONS = frozenset(
    {"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"}
)


class Writer:
    """Write in one transaction, and retry it while the table is busy."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def commit(self, *writes: Write) -> None:
        for write in writes:
            if row := _written(write):
                self._rows.values.keep(row)
        retrying(lambda: self._commit(writes))

    def _commit(self, writes: tuple[Write, ...]) -> None:
        try:
            if len(writes) == 1:
                self._commit_one(writes[0])
            else:
                self._commit_all(writes)
        except (PutError, DeleteError, TransactWriteError) as error:
            raise self._meaning(error, writes) from error

    def _commit_one(self, write: Write) -> None:
        condition = self._condition(write)
        if row := _written(write):
            self._rows.to_item(row).save(condition)
        elif isinstance(write, Delete):
            self._rows.item(write.key.partition, write.key.sort).delete(condition)
        else:
            raise TypeError("a condition alone writes nothing")

    def _commit_all(self, writes: tuple[Write, ...]) -> None:
        checks, deletes, puts = _by_kind(writes)
        connection = self._rows.item(None, None)._get_connection().connection
        connection.transact_write_items(
            condition_check_items=[self._keyed(writes[n]) for n in checks],
            delete_items=[self._keyed(writes[n]) for n in deletes],
            put_items=[self._put(writes[n]) for n in puts],
            update_items=[],
        )

    def _keyed(self, write: Write) -> dict[str, Any]:
        key = _key(write)
        return _with_old_item(
            self._rows.item.get_operation_kwargs_from_class(
                key.partition, key.sort, condition=self._condition(write)
            )
        )

    def _put(self, write: Write) -> dict[str, Any]:
        row = _written(write)
        assert row is not None  # noqa: S101 - by `_by_kind`
        item = self._rows.to_item(row)
        return _with_old_item(item.get_save_kwargs_from_instance(condition=self._condition(write)))

    def _condition(self, write: Write) -> Condition | None:
        item = self._rows.item
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

    def _meaning(self, error: PynamoDBException, writes: tuple[Write, ...]) -> Exception:
        if error.cause_response_code == "ConditionalCheckFailedException":
            return ConflictError({0: None})
        if is_busy(error) or not isinstance(error, TransactWriteError):
            return error
        sent = [position for kind in _by_kind(writes) for position in kind]
        reasons = dict(zip(sent, error.cancellation_reasons, strict=False))
        refused = {
            position: self._old(reason)
            for position, reason in reasons.items()
            if reason and reason.code == _REFUSED
        }
        if refused:
            return ConflictError(refused)
        codes = {reason.code for reason in error.cancellation_reasons if reason}
        return ThrottledError() if codes and codes <= _BUSY_REASONS else error

    def _old(self, reason: CancellationReason) -> Row | None:
        if not reason.raw_item:
            return None
        return self._rows.from_items([self._rows.item.from_raw_data(reason.raw_item)])[0]


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
    """Return the positions of checks, deletes and puts, the order in which pynamodb sends them."""
    checks = [n for n, write in enumerate(writes) if isinstance(write, Require)]
    deletes = [n for n, write in enumerate(writes) if isinstance(write, Delete)]
    puts = [n for n, write in enumerate(writes) if _written(write)]
    return checks, deletes, puts


def _with_old_item(arguments: dict[str, Any]) -> dict[str, Any]:
    """Request the row that fails a condition, so that the error can include it."""
    return {**arguments, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
