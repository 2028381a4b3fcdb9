"""Lists: the envelope of every list, and the cursor that every list takes."""

import json
from collections.abc import Sequence
from typing import Annotated, Generic, Literal, TypeVar

from pydantic import Field, StringConstraints

from assistants.domain.schema import Object, Request

MAX_BYTES = 5_900_000  # of a page inside a Lambda response, which may have 6 MB

ObjectId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


class Cursor(Request):
    """Select a page of a list. `after` and `before` are ids of objects in that list."""

    limit: int = Field(default=20, ge=1, le=100)
    order: Literal["asc", "desc"] = "desc"
    after: ObjectId | None = None
    before: ObjectId | None = None

    @property
    def backwards(self) -> bool:
        """Return whether `before` alone is set: it selects the objects just before the cursor."""
        return self.before is not None and self.after is None


T = TypeVar("T", bound=Object)


class Page(Object, Generic[T]):
    """One page. `first_id` and `last_id` are null on an empty page, as in the original."""

    object: Literal["list"] = "list"
    data: list[T]
    first_id: str | None
    last_id: str | None
    has_more: bool

    @classmethod
    def from_items(cls, data: Sequence[T], cursor: Cursor, *, has_more: bool) -> "Page[T]":
        """Build the page of these objects. Cut it short, with `has_more`, if they are too large for
        one response.
        """
        kept = _fitting(data[::-1])[::-1] if cursor.backwards else _fitting(data)
        ids: list[str] = [getattr(item, "id") for item in kept]  # noqa: B009
        first, last = (ids[0], ids[-1]) if ids else (None, None)
        more = has_more or len(kept) < len(data)
        return cls.model_construct(data=list(kept), first_id=first, last_id=last, has_more=more)


def _fitting(data: Sequence[T]) -> Sequence[T]:
    """Return as many objects, but at least one, as a Lambda response can hold."""
    left = MAX_BYTES
    for count, item in enumerate(data):
        left -= len(json.dumps(item.model_dump_json()))  # as Lambda sends it: a string in JSON
        if left < 0 and count:
            return data[:count]
    return data


class Listing(Object, Generic[T]):
    """A list without pages."""

    object: Literal["list"] = "list"
    data: list[T]
