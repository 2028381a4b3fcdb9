"""Items of the table as pynamodb models, and their conversion from and to the port's `Row`."""

import zlib
from collections.abc import Iterable

from pynamodb.attributes import BinaryAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection
from pynamodb.models import Model

from assistants.adapters.dynamodb.large_values import LargeValues
from assistants.ports.table import Key, Row

DUE_SHARDS = 8


class DueIndex(GlobalSecondaryIndex["Item"]):  # type: ignore[no-untyped-call]
    """A sparse index of rows with `due_at`, by time."""

    class Meta:
        index_name = "due"
        projection = KeysOnlyProjection()

    due_pk = UnicodeAttribute(hash_key=True)
    due_at = NumberAttribute(range_key=True)


class Item(Model):
    """One item. `body` is compressed JSON, or `value` is the key of its object in S3."""

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
    """Return the model of one table. The SDK reads endpoint and region from the environment."""

    class TableItem(Item):
        class Meta:
            table_name = table

    return TableItem


class Rows:
    """Convert items of one table from and to rows."""

    def __init__(self, item: type[Item], values: LargeValues) -> None:
        self.item = item
        self.values = values

    def to_item(self, row: Row) -> Item:
        body, value = self.values.place(row)
        return self.item(
            row.key.partition,
            row.key.sort,
            revision=row.revision,
            body=body,
            value=value,
            due_pk=None if row.due_at is None else _due_shard(row.key),
            due_at=row.due_at,
            ttl=row.ttl,
        )

    def from_items(self, items: Iterable[Item]) -> list[Row]:
        items = list(items)
        bodies = self.values.load([(item.body, item.value) for item in items])
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


def _due_shard(key: Key) -> str:
    return f"D#{zlib.crc32(f'{key.partition}{key.sort}'.encode()) % DUE_SHARDS}"
