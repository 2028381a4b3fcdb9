"""A query reads and sorts every item of the table.

With this, it gets the items of its partition in its range of sort keys, no more than its limit
and the one that tells it that more follow; it then filters, projects and pages as ever.
"""

import copy
from typing import Any

from moto.dynamodb.comparisons import get_comparison_func
from moto.dynamodb.models.table import Table


def fix() -> None:
    query: Any = Table.query

    def query_partition(
        self: Table,
        hash_key: Any,
        range_comparison: Any,
        range_objs: Any,
        limit: Any,
        exclusive_start_key: Any,
        scan_index_forward: Any,
        projection_expressions: Any,
        index_name: Any = None,
        *rest: Any,
        **named: Any,
    ) -> Any:
        table = self
        if not index_name:
            table = copy.copy(self)
            items: Any = self.items.get(hash_key, {})
            if self.range_key_type == "S":
                start = exclusive_start_key and exclusive_start_key[self.range_key_attr]["S"]
                keys = _in_range(items, range_comparison, range_objs)
                items = _page(items, keys, start, scan_index_forward is not False, limit)
            table.items = {hash_key: items}  # type: ignore[assignment]
        return query(
            table,
            hash_key,
            range_comparison,
            range_objs,
            limit,
            exclusive_start_key,
            scan_index_forward,
            projection_expressions,
            index_name,
            *rest,
            **named,
        )

    Table.query = query_partition  # type: ignore[method-assign]


def _in_range(items: dict[Any, Any], comparison: str | None, operands: list[Any]) -> list[Any]:
    """The sort keys that satisfy the key condition."""
    if not comparison:
        return list(items)
    matches, values = get_comparison_func(comparison), [operand.value for operand in operands]
    return [key for key in items if matches(key.value, *values)]


def _page(
    items: dict[Any, Any], keys: list[Any], start: str | None, forward: bool, limit: int | None
) -> dict[Any, Any]:
    """The items after `start`, in order, and one more than the limit."""
    if start is not None:
        keys = [key for key in keys if (key.value > start if forward else key.value < start)]
    keys.sort(key=lambda key: key.value, reverse=not forward)
    return {key: items[key] for key in keys[: limit + 1 if limit else None]}
