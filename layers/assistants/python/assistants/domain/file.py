"""Files: named bytes with a purpose, which decides how they may be used."""

from dataclasses import dataclass
from typing import IO, Annotated, ClassVar, Literal
from urllib.parse import quote

from pydantic import Field, InstanceOf, StringConstraints, WithJsonSchema

from assistants.domain.ids import FileId
from assistants.domain.page import Cursor
from assistants.domain.schema import Form, Object, Request

MAX_FILE_BYTES = 512 * 1024 * 1024
MAX_FILENAME = 1024

Purpose = Literal["assistants", "batch", "fine-tune", "vision", "user_data", "evals"]
OutputPurpose = Literal["assistants_output", "batch_output", "fine-tune-results"]
AnyPurpose = Purpose | OutputPurpose
KEPT_FROM_DOWNLOAD: frozenset[AnyPurpose] = frozenset({"assistants", "user_data"})
LIFE_SECONDS: dict[AnyPurpose, int] = {"batch": 30 * 24 * 3600}
"""Seconds until a file without `expires_after` expires; files of other purposes never do."""

Filename = Annotated[str, StringConstraints(min_length=1, max_length=MAX_FILENAME)]


@dataclass(frozen=True, slots=True)
class Content:
    """The bytes of a form's file, with the name and the type that the client declared."""

    filename: str
    mime_type: str
    stream: IO[bytes]
    size: int


Binary = Annotated[InstanceOf[Content], WithJsonSchema({"type": "string", "format": "binary"})]


class FileExpiresAfter(Request):
    anchor: Literal["created_at"]
    seconds: Annotated[int, Field(ge=3600, le=2_592_000)]


class FileCreate(Form):
    max_bytes: ClassVar[int] = MAX_FILE_BYTES

    file: Binary
    purpose: Purpose
    expires_after: FileExpiresAfter | None = None


class FileCursor(Cursor):
    limit: int = Field(default=10_000, ge=1, le=10_000)
    purpose: AnyPurpose | None = None


class File(Object):
    id: FileId
    object: Literal["file"] = "file"
    bytes: int
    created_at: int
    expires_at: int | None = None
    filename: str
    purpose: AnyPurpose
    status: Literal["uploaded", "processed", "error"] = "processed"
    status_details: str | None = None


class StoredFile(File):
    """A file with the members that the API does not return."""

    mime_type: str

    def to_api(self) -> File:
        return File.model_validate(self.model_dump())


def expiry(purpose: AnyPurpose, after: FileExpiresAfter | None, now: int) -> int | None:
    """Return when a file created now expires, in Unix seconds, or None if it never does."""
    seconds = after.seconds if after else LIFE_SECONDS.get(purpose)
    return None if seconds is None else now + seconds


def content_disposition(filename: str) -> str:
    """Return a `Content-Disposition` with which browsers save the file and never render it, since
    its content is not trusted.

    Omits a name that would exceed API Gateway's 10 KB of headers.
    """
    encoded = quote(filename, safe="")
    return f"attachment; filename*=UTF-8''{encoded}" if len(encoded) <= 2048 else "attachment"
