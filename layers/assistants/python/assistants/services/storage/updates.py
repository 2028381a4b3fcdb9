"""Update objects: only the members that are set, and without losing concurrent updates."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from assistants.domain.schema import Object, Request
from assistants.ports.table import ConflictError, Replace, Row, Table, Write

T = TypeVar("T", bound=Object)


def set_members(body: Request, *, clearable: frozenset[str] = frozenset()) -> dict[str, Any]:
    """Return the members that the client set. A null counts as not set, except that it clears a
    `clearable` member.
    """
    members = {name: getattr(body, name) for name in body.model_fields_set}
    return {
        name: value for name, value in members.items() if value is not None or name in clearable
    }


def modify(
    table: Table,
    *,
    read: Callable[[], Row],
    change: Callable[[Row], T],
    extra_writes: Callable[[Row, T], Iterable[Write]] = lambda _row, _changed: (),
) -> T:
    """Read the row, change it and write it back. Start over if someone else wrote it in between.

    `extra_writes` returns further writes for the same transaction, such as those of pointers.
    """
    while True:
        row = read()
        changed = change(row)
        try:
            replaced = Replace(row, row.changed(changed.model_dump(mode="json")))
            table.commit(replaced, *extra_writes(row, changed))
        except ConflictError:
            continue
        return changed
