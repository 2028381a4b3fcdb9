"""Completing an upload: its parts, in the order asked for, become one file."""

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
from assistants.services.files.service import creation
from assistants.services.files.service import shown as shown_file
from assistants.services.files.uploads import Uploads, ended, part_name, shown


@dataclass(frozen=True)
class UploadCompletion:
    table: Table
    uploads: Uploads
    contents: FileContents
    clock: Clock

    def complete(self, project: ProjectId, upload_id: str, body: UploadComplete) -> Upload:
        """The same completion asked for again is answered with the same file.

        Raises `InvalidRequestError` if the upload has ended otherwise, or its parts are not what
        was announced.
        """
        row, upload = self.uploads.load(project, upload_id)
        if done := self._done(upload, body):
            return done
        parts = self._parts(project, upload, body.part_ids)
        file = self._file(upload)
        completed = upload.model_copy(
            update={"status": "completed", "file": shown_file(file), "part_ids": body.part_ids}
        )
        try:
            with self.contents.writing(project, file.id) as untied:
                self._assemble(parts, blob_name(project, file.id), body.md5)
                tied = (untied, *creation(project, file))
                self.table.commit(Replace(row, ended(row, completed)), *tied)
        except (ConflictError, BlobMissingError):  # it has ended meanwhile
            if done := self._done(self.uploads.load(project, upload_id)[1], body):
                return done
            raise
        self.uploads.free(project, upload_id)
        return shown(completed)

    def _done(self, upload: StoredUpload, body: UploadComplete) -> Upload | None:
        """The upload if it was completed so before, None if it is pending."""
        if upload.status == "completed" and upload.part_ids == body.part_ids:
            return shown(upload)
        self.uploads.require_pending(upload)
        return None

    def _parts(
        self, project: ProjectId, upload: StoredUpload, part_ids: Sequence[str]
    ) -> list[Blob]:
        """Raises `InvalidRequestError` unless they exist, once each, and are as large as
        announced.
        """
        there = {part.name: part for part in self.uploads.parts(project, upload.id)}
        parts: list[Blob] = []
        for position, part_id in enumerate(part_ids):
            # Taken out, so that no part is found twice.
            part = there.pop(part_name(project, upload.id, part_id), None)
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
        """The bytes of all parts. Raises `InvalidRequestError` behind the last if they are not
        right.
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
