"""A query reads and sorts every item of the table.

Here it gets only the items of its partition and range of sort keys, up to its limit and one more,
which shows that more follow; moto then filters, projects and pages them as before.
"""

import copy
import inspect
from typing import Any

from moto.dynamodb.comparisons import get_comparison_func
from moto.dynamodb.models.table import Table


def fix() -> None:
    query: Any = Table.query
    signature = inspect.signature(query)

    def query_partition(*given: Any, **named: Any) -> Any:
        call = signature.bind(*given, **named)
        call.apply_defaults()
        if not call.arguments["index_name"]:
            call.arguments["self"] = _narrowed(**call.arguments)
        return query(*call.args, **call.kwargs)

    Table.query = query_partition  # type: ignore[method-assign]


def _narrowed(
    self: Table,
    hash_key: Any,
    range_comparison: str | None,
    range_objs: list[Any],
    limit: int | None,
    exclusive_start_key: dict[str, Any] | None,
    scan_index_forward: bool | None,
    **_: object,
) -> Table:
    """Return the table with only those items that the query has to see."""
    items: Any = self.items.get(hash_key, {})
    if self.range_key_attr and self.range_key_type == "S":
        start = exclusive_start_key and exclusive_start_key[self.range_key_attr]["S"]
        keys = _in_range(items, range_comparison, range_objs)
        items = _page(items, keys, start, scan_index_forward is not False, limit)
    table = copy.copy(self)
    table.items = {hash_key: items}  # type: ignore[assignment]
    return table


def _in_range(items: dict[Any, Any], comparison: str | None, operands: list[Any]) -> list[Any]:
    """Return the sort keys that satisfy the key condition."""
    if not comparison:
        return list(items)
    matches, values = get_comparison_func(comparison), [operand.value for operand in operands]
    return [key for key in items if matches(key.value, *values)]


def _page(
    items: dict[Any, Any], keys: list[Any], start: Any, forward: bool, limit: int | None
) -> dict[Any, Any]:
    """Return the items after `start`, in order, and one more than the limit."""
    if start is not None:
        keys = [key for key in keys if (key.value > start if forward else key.value < start)]
    keys.sort(key=lambda key: key.value, reverse=not forward)
    return {key: items[key] for key in keys[: limit + 1 if limit else None]}
