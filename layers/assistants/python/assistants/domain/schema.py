"""The base classes and small types that the API's objects and requests are declared with."""

from typing import Annotated, Any, ClassVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    StringConstraints,
    model_serializer,
)


class Object(BaseModel):
    """Something the API answers with: every member is always present, null when it has no value."""

    model_config = ConfigDict(frozen=True)

    poll_after_ms: ClassVar[int | None] = None  # how soon a poller should ask again, if it is one


class Request(BaseModel):
    """A body that a client sends: unknown members are refused and nothing is converted."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, serialize_by_alias=True)


class Form(Request):
    """A body of `multipart/form-data`, where numbers are text and nested members are `a[b]`."""

    max_bytes: ClassVar[int]  # of the one binary member


class Part(Request):
    """A nested member that is echoed as it was given: what was left out stays out."""

    @model_serializer(mode="wrap")
    def _only_what_was_given(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        members: dict[str, Any] = handler(self)
        fields = type(self).model_fields
        given = {fields[name].alias or name for name in self.model_fields_set}
        return {name: value for name, value in members.items() if name in given}


Name = Annotated[str, StringConstraints(max_length=256)]
Description = Annotated[str, StringConstraints(max_length=512)]
Instructions = Annotated[str, StringConstraints(max_length=256_000)]
MetadataKey = Annotated[str, StringConstraints(max_length=64)]
MetadataValue = Annotated[str, StringConstraints(max_length=512)]
Metadata = Annotated[dict[MetadataKey, MetadataValue], Field(max_length=16)]
Temperature = Annotated[float, Field(ge=0, le=2)]
TopP = Annotated[float, Field(ge=0, le=1)]


class Deleted(Object):
    """The answer to a DELETE."""

    id: str
    object: str
    deleted: bool = True
