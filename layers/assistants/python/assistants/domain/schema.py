"""Base classes and small types of the API's objects and requests."""

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
    """An object of the API. Every member is always present, and null when it has no value."""

    model_config = ConfigDict(frozen=True)

    poll_after_ms: ClassVar[int | None] = None  # for clients that wait for a status


class Request(BaseModel):
    """The body of a request. Unknown members are refused, and no types are converted."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, serialize_by_alias=True)


class Form(Request):
    """A body of `multipart/form-data`. Numbers are text, and nested members are `a[b]`."""

    max_bytes: ClassVar[int]  # of the one binary member


class Part(Request):
    """A nested member that is echoed as it was sent: omitted members stay omitted."""

    @model_serializer(mode="wrap")
    def _only_set_members(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
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
    """The response to a DELETE."""

    id: str
    object: str
    deleted: bool = True
