"""Lists: the envelope every list answers with, and the cursor every list takes."""

import json
from collections.abc import Sequence
from typing import Annotated, Generic, Literal, TypeVar

from pydantic import Field, StringConstraints

from assistants.domain.schema import Object, Request

MAX_BYTES = 5_900_000  # of a page inside Lambda's answer, which may have 6 MB

ObjectId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


class Cursor(Request):
    """Which page of a list: `after` and `before` are ids of objects of that list."""

    limit: int = Field(default=20, ge=1, le=100)
    order: Literal["asc", "desc"] = "desc"
    after: ObjectId | None = None
    before: ObjectId | None = None

    @property
    def backwards(self) -> bool:
        """`before` alone asks for the objects just before the cursor, nearest first."""
        return self.before is not None and self.after is None


T = TypeVar("T", bound=Object)


class Page(Object, Generic[T]):
    """One page. `first_id` and `last_id` are null on an empty page, as the original answers."""

    object: Literal["list"] = "list"
    data: list[T]
    first_id: str | None
    last_id: str | None
    has_more: bool

    @classmethod
    def of(cls, data: Sequence[T], cursor: Cursor, *, has_more: bool) -> "Page[T]":
        """The page of these objects; it ends early, with `has_more`, where they grow too large."""
        kept = _fitting(data[::-1])[::-1] if cursor.backwards else _fitting(data)
        ids: list[str] = [getattr(item, "id") for item in kept]  # noqa: B009
        first, last = (ids[0], ids[-1]) if ids else (None, None)
        more = has_more or len(kept) < len(data)
        return cls.model_construct(data=list(kept), first_id=first, last_id=last, has_more=more)


def _fitting(data: Sequence[T]) -> Sequence[T]:
    """As many objects, one at least, as an answer of Lambda can hold."""
    left = MAX_BYTES
    for count, item in enumerate(data):
        left -= len(json.dumps(item.model_dump_json()))  # Lambda's answer holds ours as a string
        if left < 0 and count:
            return data[:count]
    return data


class Listing(Object, Generic[T]):
    """A list that has no pages."""

    object: Literal["list"] = "list"
    data: list[T]
