"""Complete uploads: join the parts, in the order that the client asks for, into one file."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from assistants.domain.errors import InvalidRequestError
from assistants.domain.file import StoredFile, expiry
from assistants.domain.ids import FILE, ProjectId, new_id
from assistants.domain.upload import StoredUpload, Upload, UploadComplete
from assistants.ports.blobs import Blob, BlobMissingError
from assistants.ports.clock import Clock
from assistants.ports.table import ConflictError, Replace, Table
from assistants.services.files.contents import FileContents, blob_name
from assistants.services.files.service import file_rows
from assistants.services.files.uploads import Uploads, ended_row, part_name


@dataclass(frozen=True)
class UploadCompletion:
    table: Table
    uploads: Uploads
    contents: FileContents
    clock: Clock

    def complete(self, project: ProjectId, upload_id: str, body: UploadComplete) -> Upload:
        """Complete an upload. Repeating the same completion returns the same file.

        Raises `InvalidRequestError` if the upload is not pending, or if its parts do not match the
        size or checksum that the client declared.
        """
        row, upload = self.uploads.load(project, upload_id)
        if done := self._done(upload, body):
            return done
        parts = self._parts(project, upload, body.part_ids)
        file = self._file(upload)
        completed = upload.model_copy(
            update={"status": "completed", "file": file.to_api(), "part_ids": body.part_ids}
        )
        try:
            with self.contents.writing(project, file.id) as note_deletion:
                self._assemble(parts, blob_name(project, file.id), body.md5)
                file_writes = (note_deletion, *file_rows(project, file))
                self.table.commit(Replace(row, ended_row(row, completed)), *file_writes)
        except (ConflictError, BlobMissingError):  # the upload has ended in between
            if done := self._done(self.uploads.load(project, upload_id)[1], body):
                return done
            raise
        self.uploads.delete_parts(project, upload_id)
        return completed.to_api()

    def _done(self, upload: StoredUpload, body: UploadComplete) -> Upload | None:
        """Return the upload if it was completed with these parts before, None if it is pending.

        Raises `InvalidRequestError` if it has ended otherwise.
        """
        if upload.status == "completed" and upload.part_ids == body.part_ids:
            return upload.to_api()
        self.uploads.require_pending(upload)
        return None

    def _parts(
        self, project: ProjectId, upload: StoredUpload, part_ids: Sequence[str]
    ) -> list[Blob]:
        """Return the named parts in order.

        Raises `InvalidRequestError` if one does not exist or is named twice, or if their size is
        not the one that the client declared.
        """
        remaining = {part.name: part for part in self.uploads.parts(project, upload.id)}
        parts: list[Blob] = []
        for position, part_id in enumerate(part_ids):
            # `pop`, so that no part is found twice.
            part = remaining.pop(part_name(project, upload.id, part_id), None)
            if part is None:
                raise InvalidRequestError(
                    f"Invalid 'part_ids': '{part_id}' is no part of this upload, or named twice.",
                    param=f"part_ids[{position}]",
                    code="invalid_value",
                )
            parts.append(part)
        if (size := sum(part.size for part in parts)) != upload.bytes:
            raise InvalidRequestError(
                f"The parts have {size} bytes, but the upload was created for {upload.bytes}.",
                param="part_ids",
                code="invalid_value",
            )
        return parts

    def _file(self, upload: StoredUpload) -> StoredFile:
        now = int(self.clock.time())
        return StoredFile(
            id=new_id(FILE),
            bytes=upload.bytes,
            created_at=now,
            expires_at=expiry(upload.purpose, upload.expires_after, now),
            filename=upload.filename,
            purpose=upload.purpose,
            mime_type=upload.mime_type,
        )

    def _assemble(self, parts: Sequence[Blob], name: str, md5: str | None) -> None:
        if len(parts) == 1 and md5 is None:
            self.contents.blobs.copy(parts[0].name, name)
        else:
            self.contents.blobs.write(name, self._content(parts, md5))

    def _content(self, parts: Sequence[Blob], md5: str | None) -> Iterator[bytes]:
        """Yield the bytes of all parts. Raises `InvalidRequestError` at the end if their checksum
        differs.
        """
        digest = hashlib.md5(usedforsecurity=False)
        for part in parts:
            for piece in self.contents.blobs.read(part.name):
                if md5 is not None:
                    digest.update(piece)
                yield piece
        if md5 is not None and digest.hexdigest() != md5.lower():
            raise InvalidRequestError(
                f"The content's md5 is {digest.hexdigest()}, not {md5}.",
                param="md5",
                code="invalid_value",
            )
