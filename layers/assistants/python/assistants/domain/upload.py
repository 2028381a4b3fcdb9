"""Uploads: large files that clients send in parts."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, StringConstraints

from assistants.domain.file import Binary, File, FileExpiresAfter, Filename, Purpose
from assistants.domain.schema import Form, Object, Request

MAX_UPLOAD_BYTES = 8 * 1024**3
MAX_PART_BYTES = 64 * 1024**2
MAX_DIRECT_BYTES = 5 * 1024**3  # S3's limit for one PUT, and for one copy
MAX_PARTS = 10_000
LIFE_SECONDS = 3600

MimeType = Annotated[str, StringConstraints(min_length=1, max_length=255)]
Md5 = Annotated[str, StringConstraints(pattern=r"^[0-9a-fA-F]{32}$")]


class UploadCreate(Request):
    filename: Filename
    purpose: Purpose
    bytes: Annotated[int, Field(ge=1, le=MAX_UPLOAD_BYTES)]
    mime_type: MimeType
    expires_after: FileExpiresAfter | None = None


class PartCreate(Form):
    max_bytes: ClassVar[int] = MAX_PART_BYTES

    data: Binary


class UploadComplete(Request):
    part_ids: Annotated[list[str], Field(min_length=1, max_length=MAX_PARTS)]
    md5: Md5 | None = None


class Upload(Object):
    id: str
    object: Literal["upload"] = "upload"
    created_at: int
    filename: str
    bytes: int
    purpose: Purpose
    status: Literal["pending", "completed", "cancelled", "expired"] = "pending"
    expires_at: int
    file: File | None = None


class StoredUpload(Upload):
    """An upload with the members that the API does not return. `part_ids` are the parts, in order,
    that a completed upload was made of.
    """

    mime_type: str
    expires_after: FileExpiresAfter | None = None
    part_ids: list[str] = []

    def to_api(self) -> Upload:
        return Upload.model_validate(self.model_dump())


class UploadPart(Object):
    id: str
    object: Literal["upload.part"] = "upload.part"
    created_at: int
    upload_id: str


class DirectPart(UploadPart):
    """A part whose bytes the client sends straight to S3, by a `PUT` to `url` of exactly as many
    bytes as the upload has.

    An extension of this service. The URL is a secret until `expires_at`.
    """

    url: str
    expires_at: int
