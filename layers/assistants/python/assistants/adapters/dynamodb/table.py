"""The table on DynamoDB, with large bodies in S3."""

from typing import Any

from pynamodb.exceptions import DoesNotExist
from pynamodb.expressions.condition import Condition

from assistants.adapters.dynamodb.items import DUE_SHARDS, DueIndex, Item, Rows
from assistants.adapters.dynamodb.large_values import LargeValues
from assistants.adapters.dynamodb.throttling import retrying
from assistants.adapters.dynamodb.writes import Writer
from assistants.ports.table import Key, Row, Write

# Below and above every character of the sort keys.
_LOWEST, _HIGHEST = "!", "~"


class DynamoTable:
    """Implement `Table`."""

    def __init__(self, item: type[Item], values: LargeValues) -> None:
        self._item = item
        self._rows = Rows(item, values)
        self._writer = Writer(self._rows)

    def get(self, *keys: Key) -> list[Row | None]:
        if len(keys) < 2:
            return [self._get(key) for key in keys]
        pairs = [(key.partition, key.sort) for key in keys]
        items = retrying(lambda: list(self._item.batch_get(pairs, consistent_read=True)))
        found = {row.key: row for row in self._rows.from_items(items)}
        return [found.get(key) for key in keys]

    def _get(self, key: Key) -> Row | None:
        try:
            item = retrying(lambda: self._item.get(key.partition, key.sort, consistent_read=True))
        except DoesNotExist:
            return None
        return self._rows.from_items([item])[0]

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
        items = self._found(
            partition,
            self._item.sk.between(low, high),
            limit=limit + (before is not None),
            consistent_read=consistent,
            scan_index_forward=not descending,
        )
        return self._rows.from_items([item for item in items if item.sk != before][:limit])

    def commit(self, *writes: Write) -> None:
        self._writer.commit(*writes)

    def keys(self, partition: str, prefix: str, *, limit: int) -> list[Key]:
        items = self._found(
            partition,
            self._item.sk.startswith(prefix) if prefix else None,
            limit=limit,
            consistent_read=True,
            attributes_to_get=["pk", "sk"],
        )
        return [Key(item.pk, item.sk) for item in items]

    def clear(self, partition: str, *, limit: int) -> bool:
        keys = self.keys(partition, "", limit=limit)
        retrying(lambda: self._delete(keys))
        if len(keys) == limit:
            return False
        return self._rows.values.forget(partition)

    def due(self, until: int, *, limit: int) -> list[Key]:
        found = [
            (item.due_at, Key(item.pk, item.sk))
            for shard in range(DUE_SHARDS)
            for item in self._due_in(shard, until, limit)
        ]
        return [key for _, key in sorted(found, key=lambda one: one[0])][:limit]

    def _found(self, partition: str, condition: Condition | None, **options: Any) -> list[Item]:
        return retrying(lambda: list(self._item.query(partition, condition, **options)))

    def _delete(self, keys: list[Key]) -> None:
        with self._item.batch_write() as batch:
            for key in keys:
                batch.delete(self._item(key.partition, key.sort))

    def _due_in(self, shard: int, until: int, limit: int) -> list[Item]:
        not_later: Condition = DueIndex.due_at <= until
        return retrying(lambda: list(self._item.due.query(f"D#{shard}", not_later, limit=limit)))
