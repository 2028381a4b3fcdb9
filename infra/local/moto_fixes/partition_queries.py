"""A query reads every item of the table; with this, those of its partition."""

import copy
from typing import Any

from moto.dynamodb.models.table import Table


def fix() -> None:
    query = Table.query

    def query_partition(self: Table, hash_key: Any, *rest: Any, **named: Any) -> Any:
        index_name = rest[6] if len(rest) > 6 else named.get("index_name")
        if index_name:
            return query(self, hash_key, *rest, **named)
        partition = copy.copy(self)
        partition.items = {hash_key: self.items.get(hash_key, {})}  # type: ignore[assignment]
        return query(partition, hash_key, *rest, **named)

    Table.query = query_partition  # type: ignore[method-assign]
