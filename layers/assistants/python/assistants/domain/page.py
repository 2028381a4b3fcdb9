"""Lists: the envelope every list answers with, and the cursor every list takes."""

from collections.abc import Sequence
from typing import Annotated, Generic, Literal, TypeVar

from pydantic import Field, StringConstraints

from assistants.domain.schema import Object, Request

ObjectId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


class Cursor(Request):
    """Which page of a list: `after` and `before` are ids of objects of that list."""

    limit: int = Field(default=20, ge=1, le=100)
    order: Literal["asc", "desc"] = "desc"
    after: ObjectId | None = None
    before: ObjectId | None = None


T = TypeVar("T", bound=Object)


class Page(Object, Generic[T]):
    """One page. `first_id` and `last_id` are null on an empty page, as the original answers."""

    object: Literal["list"] = "list"
    data: list[T]
    first_id: str | None
    last_id: str | None
    has_more: bool

    @classmethod
    def of(cls, data: Sequence[T], *, has_more: bool) -> "Page[T]":
        ids: list[str] = [getattr(item, "id") for item in data]  # noqa: B009
        first, last = (ids[0], ids[-1]) if ids else (None, None)
        return cls.model_construct(data=list(data), first_id=first, last_id=last, has_more=has_more)


class Listing(Object, Generic[T]):
    """A list that has no pages."""

    object: Literal["list"] = "list"
    data: list[T]
