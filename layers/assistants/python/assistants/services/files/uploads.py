"""Uploads: create them, add parts, cancel and expire them. Parts exist as S3 objects only.

A part may still arrive after its upload has ended, by a URL that was issued before or in a race
with the end. Such parts are deleted when the upload expires; a lifecycle rule of the bucket deletes
any that are left a day later.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from assistants.domain.errors import InvalidRequestError, no_such
from assistants.domain.ids import UPLOAD, ProjectId, check_id
from assistants.domain.upload import (
    LIFE_SECONDS,
    MAX_DIRECT_BYTES,
    DirectPart,
    PartCreate,
    StoredUpload,
    Upload,
    UploadCreate,
    UploadPart,
)
from assistants.ports.blobs import PIECE_BYTES, Blob, Blobs
from assistants.ports.clock import Clock
from assistants.ports.table import ConflictError, Create, Key, Replace, Row, Table
from assistants.services.storage import keys

KEPT_SECONDS = 24 * 3600  # how long an expired upload can still be read
_GRACE_SECONDS = 60


@dataclass(frozen=True)
class Uploads:
    table: Table
    blobs: Blobs
    clock: Clock

    def create(self, project: ProjectId, body: UploadCreate, upload_id: str) -> Upload:
        now = int(self.clock.time())
        upload = StoredUpload(
            id=upload_id, created_at=now, expires_at=now + LIFE_SECONDS, **dict(body)
        )
        row = Row(
            keys.upload(project, upload_id),
            upload.model_dump(mode="json"),
            due_at=upload.expires_at,
            ttl=upload.expires_at + KEPT_SECONDS,
        )
        try:
            self.table.commit(Create(row))
        except ConflictError:
            return self.load(project, upload_id)[1].to_api()
        return upload.to_api()

    def add_part(
        self, project: ProjectId, upload_id: str, body: PartCreate, part_id: str
    ) -> UploadPart:
        """Add a part. Raises `InvalidRequestError` if it is empty, or if the upload is not pending
        or ends in between.
        """
        if body.data.size == 0:
            raise InvalidRequestError("The part is empty.", param="data", code="invalid_value")
        self.require_pending(self.load(project, upload_id)[1])
        name = part_name(project, upload_id, part_id)
        self.blobs.write(name, iter(lambda: body.data.stream.read(PIECE_BYTES), b""))
        try:
            self.require_pending(self.load(project, upload_id)[1])
        except InvalidRequestError:
            self.blobs.delete([name])
            raise
        return UploadPart(id=part_id, created_at=int(self.clock.time()), upload_id=upload_id)

    def add_direct_part(self, project: ProjectId, upload_id: str, part_id: str) -> DirectPart:
        """Create the only part of an upload, whose bytes the client sends to S3 directly."""
        _, upload = self.load(project, upload_id)
        self.require_pending(upload)
        if upload.bytes > MAX_DIRECT_BYTES:
            raise InvalidRequestError(
                f"S3 takes at most {MAX_DIRECT_BYTES} bytes at once: send parts."
            )
        now = int(self.clock.time())
        name = part_name(project, upload_id, part_id)
        url = self.blobs.upload_url(name, size=upload.bytes, seconds=upload.expires_at - now)
        return DirectPart(
            id=part_id,
            created_at=now,
            upload_id=upload_id,
            url=url,
            expires_at=upload.expires_at,
        )

    def cancel(self, project: ProjectId, upload_id: str) -> Upload:
        """Cancel an upload and delete its parts. Cancelling again changes nothing."""
        row, upload = self.load(project, upload_id)
        if upload.status == "cancelled":
            return upload.to_api()
        self.require_pending(upload)
        cancelled = upload.model_copy(update={"status": "cancelled"})
        try:
            self.table.commit(Replace(row, ended_row(row, cancelled)))
        except ConflictError:
            return self.cancel(project, upload_id)
        self.delete_parts(project, upload_id)
        return cancelled.to_api()

    def expire(self, project: ProjectId, key: Key) -> None:
        """End the upload in this row if it is still pending, and delete the parts that are left."""
        [row] = self.table.get(key)
        if row is None:
            return
        upload = StoredUpload.model_validate(row.body)
        if self.clock.time() < (row.due_at or upload.expires_at):
            return
        if upload.status == "pending":
            following = ended_row(row, upload.model_copy(update={"status": "expired"}))
        else:
            following = row.changed(row.body)
        try:
            self.table.commit(Replace(row, following))
        except ConflictError:
            return  # `expire` runs again in a minute if it is still due
        self.delete_parts(project, upload.id)

    def load(self, project: ProjectId, upload_id: str) -> tuple[Row, StoredUpload]:
        """Return an upload and its row. Raises `NotFoundError` if it does not exist."""
        key = keys.upload(project, check_id(upload_id, UPLOAD, "upload_id"))
        [row] = self.table.get(key)
        if row is None:
            raise no_such("upload", upload_id)
        return row, StoredUpload.model_validate(row.body)

    def require_pending(self, upload: StoredUpload) -> None:
        """Raise `InvalidRequestError` unless the upload is pending."""
        over = upload.status == "pending" and upload.expires_at <= self.clock.time()
        status = "expired" if over else upload.status
        if status != "pending":
            raise InvalidRequestError(
                f"Upload {upload.id} is {status} and cannot be changed any more."
            )

    def parts(self, project: ProjectId, upload_id: str) -> Sequence[Blob]:
        return self.blobs.list(part_name(project, upload_id, ""))

    def delete_parts(self, project: ProjectId, upload_id: str) -> None:
        self.blobs.delete([part.name for part in self.parts(project, upload_id)])


def ended_row(row: Row, upload: StoredUpload) -> Row:
    """Return the row of an upload that has ended. It comes due once more, after the upload's URLs
    have expired, so that late parts are deleted.
    """
    due_at = upload.expires_at + _GRACE_SECONDS
    return row.changed(upload.model_dump(mode="json"), due_at=due_at)


def part_name(project: ProjectId, upload_id: str, part_id: str) -> str:
    return f"uploads/{project}/{upload_id}/{part_id}"
