"""Uploads: create, take parts, cancel, and their expiry. Parts are objects of S3 and nothing else.

What still arrives for an upload that has ended, by a URL handed out before or in a race with its
end, is removed when its hour is over; a rule of the bucket removes what is left a day later.
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

KEPT_SECONDS = 24 * 3600  # an upload that has ended
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
            return shown(self.load(project, upload_id)[1])
        return shown(upload)

    def add_part(
        self, project: ProjectId, upload_id: str, body: PartCreate, part_id: str
    ) -> UploadPart:
        """Raises `InvalidRequestError` for an empty part, and when the upload has ended
        meanwhile.
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
        """The only part of an upload, whose bytes the client sends to S3 itself."""
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
        """Its parts are gone with it. Cancelling again changes nothing."""
        row, upload = self.load(project, upload_id)
        if upload.status == "cancelled":
            return shown(upload)
        self.require_pending(upload)
        cancelled = upload.model_copy(update={"status": "cancelled"})
        try:
            self.table.commit(Replace(row, ended(row, cancelled)))
        except ConflictError:
            return self.cancel(project, upload_id)
        self.free(project, upload_id)
        return shown(cancelled)

    def expire(self, project: ProjectId, key: Key) -> None:
        """End the upload in this row if it is still pending, and free what it has left behind."""
        [row] = self.table.get(key)
        if row is None:
            return
        upload = StoredUpload.model_validate(row.body)
        if self.clock.time() < (row.due_at or upload.expires_at):
            return
        if upload.status == "pending":
            following = ended(row, upload.model_copy(update={"status": "expired"}))
        else:
            following = row.changed(row.body)
        try:
            self.table.commit(Replace(row, following))
        except ConflictError:
            return  # looked at again in a minute, if it is still due
        self.free(project, upload.id)

    def load(self, project: ProjectId, upload_id: str) -> tuple[Row, StoredUpload]:
        """Raises `NotFoundError`."""
        key = keys.upload(project, check_id(upload_id, UPLOAD, "upload_id"))
        [row] = self.table.get(key)
        if row is None:
            raise no_such("upload", upload_id)
        return row, StoredUpload.model_validate(row.body)

    def require_pending(self, upload: StoredUpload) -> None:
        """Raises `InvalidRequestError`."""
        over = upload.status == "pending" and upload.expires_at <= self.clock.time()
        status = "expired" if over else upload.status
        if status != "pending":
            raise InvalidRequestError(
                f"Upload {upload.id} is {status} and cannot be changed any more."
            )

    def parts(self, project: ProjectId, upload_id: str) -> Sequence[Blob]:
        return self.blobs.list(part_name(project, upload_id, ""))

    def free(self, project: ProjectId, upload_id: str) -> None:
        self.blobs.delete([part.name for part in self.parts(project, upload_id)])


def ended(row: Row, upload: StoredUpload) -> Row:
    """The row of an upload that is not pending any more; looked at again when its hour is over."""
    due_at = upload.expires_at + _GRACE_SECONDS
    return row.changed(upload.model_dump(mode="json"), due_at=due_at)


def shown(upload: StoredUpload) -> Upload:
    return Upload.model_validate(upload.model_dump())


def part_name(project: ProjectId, upload_id: str, part_id: str) -> str:
    return f"uploads/{project}/{upload_id}/{part_id}"
