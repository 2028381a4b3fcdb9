"""Pages of lists. Each page is one query, whose cost does not depend on the list's length."""

from collections.abc import Callable

from assistants.domain.ids import order_of
from assistants.domain.page import Cursor, Page, T
from assistants.ports.table import Row, Table


def page(
    table: Table, partition: str, prefix: str, cursor: Cursor, load: Callable[[Row], T]
) -> Page[T]:
    rows, has_more = page_of_rows(table, partition, prefix, cursor)
    return Page.from_items([load(row) for row in rows], cursor, has_more=has_more)


def page_of_rows(
    table: Table, partition: str, prefix: str, cursor: Cursor
) -> tuple[list[Row], bool]:
    """Return the rows of a page in list order, and whether more rows follow.

    A backwards page is queried towards the beginning of the list and then reversed.
    """
    after, before = (
        prefix + order_of(bound) if bound is not None else None
        for bound in (cursor.after, cursor.before)
    )
    descending = cursor.order == "desc"
    low, high = (before, after) if descending else (after, before)
    rows = table.query(
        partition,
        prefix,
        after=low,
        before=high,
        limit=cursor.limit + 1,
        descending=descending != cursor.backwards,
    )
    found = rows[: cursor.limit]
    return (found[::-1] if cursor.backwards else found), len(rows) > cursor.limit
