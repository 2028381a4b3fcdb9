"""Changing an object: only the named members, and no change of two at once is lost."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from assistants.domain.schema import Object, Request
from assistants.ports.table import ConflictError, Replace, Row, Table, Write

T = TypeVar("T", bound=Object)


def given(body: Request, *, clearable: frozenset[str] = frozenset()) -> dict[str, Any]:
    """The members that a client named. A null means "not given", or clears a `clearable` one."""
    members = {name: getattr(body, name) for name in body.model_fields_set}
    return {
        name: value for name, value in members.items() if value is not None or name in clearable
    }


def modify(
    table: Table,
    *,
    read: Callable[[], Row],
    change: Callable[[Row], T],
    along: Callable[[Row, T], Iterable[Write]] = lambda _row, _changed: (),
) -> T:
    """Read, change, write back; again from the start whenever somebody else wrote meanwhile.

    `along` are the writes that the change brings with it, such as those of pointers.
    """
    while True:
        row = read()
        changed = change(row)
        try:
            replaced = Replace(row, row.changed(changed.model_dump(mode="json")))
            table.commit(replaced, *along(row, changed))
        except ConflictError:
            continue
        return changed
