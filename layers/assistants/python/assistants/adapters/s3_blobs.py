"""The bytes of files in S3."""

import zlib
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from assistants.domain.file import content_disposition
from assistants.ports.blobs import PIECE_BYTES, Blob, BlobMissingError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef, CopySourceTypeDef

PART_BYTES = 8 * 1024 * 1024  # S3 refuses parts below 5 MiB, but for the last
_DELETED_AT_ONCE = 1000


class S3Blobs:
    def __init__(self, bucket: str, client: Callable[[], "S3Client"]) -> None:
        self._bucket = bucket
        self._make_client = client

    @cached_property
    def _s3(self) -> "S3Client":
        return self._make_client()

    def write(self, name: str, pieces: Iterable[bytes]) -> int:
        parts = _parts(pieces)
        first = next(parts, b"")
        if len(first) >= PART_BYTES:
            return self._write_parts(name, chain((first,), parts))
        self._s3.put_object(Bucket=self._bucket, Key=name, Body=first)
        return len(first)

    def _write_parts(self, name: str, parts: Iterable[bytes]) -> int:
        upload = self._s3.create_multipart_upload(
            Bucket=self._bucket, Key=name, ChecksumAlgorithm="CRC32"
        )["UploadId"]
        written: list[CompletedPartTypeDef] = []
        size = 0
        with ExitStack() as undo:
            undo.callback(
                self._s3.abort_multipart_upload, Bucket=self._bucket, Key=name, UploadId=upload
            )
            for part in parts:
                written.append(self._write_part(name, upload, len(written) + 1, part))
                size += len(part)
            self._s3.complete_multipart_upload(
                Bucket=self._bucket,
                Key=name,
                UploadId=upload,
                MultipartUpload={"Parts": written},
            )
            undo.pop_all()
        return size

    def _write_part(
        self, name: str, upload: str, number: int, part: bytes
    ) -> "CompletedPartTypeDef":
        checksum = b64encode(zlib.crc32(part).to_bytes(4, "big")).decode()
        answer = self._s3.upload_part(
            Bucket=self._bucket,
            Key=name,
            UploadId=upload,
            PartNumber=number,
            Body=part,
            ChecksumCRC32=checksum,
        )
        return {"PartNumber": number, "ETag": answer["ETag"], "ChecksumCRC32": checksum}

    def read(self, name: str) -> Iterator[bytes]:
        try:
            found = self._s3.get_object(Bucket=self._bucket, Key=name)
        except ClientError as error:
            raise self._reason(error, name) from error
        return iter(found["Body"].iter_chunks(PIECE_BYTES))

    def copy(self, source: str, target: str) -> None:
        place: CopySourceTypeDef = {"Bucket": self._bucket, "Key": source}
        try:
            self._s3.copy_object(Bucket=self._bucket, Key=target, CopySource=place)
        except ClientError as error:
            raise self._reason(error, source) from error

    def list(self, prefix: str) -> list[Blob]:
        pages = self._s3.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=prefix
        )
        return [
            Blob(found["Key"], found["Size"])
            for page in pages
            for found in page.get("Contents", ())
        ]

    def delete(self, names: Sequence[str]) -> None:
        """Delete the blobs. Raises `RuntimeError` if S3 could not remove one of them."""
        for start in range(0, len(names), _DELETED_AT_ONCE):
            batch = names[start : start + _DELETED_AT_ONCE]
            answer = self._s3.delete_objects(
                Bucket=self._bucket,
                Delete={"Objects": [{"Key": name} for name in batch], "Quiet": True},
            )
            if failed := answer.get("Errors"):
                raise RuntimeError(f"S3 did not delete: {failed}")

    def download_url(self, name: str, *, filename: str, mime_type: str, seconds: int) -> str:
        return self._s3.generate_presigned_url(
            "get_object",
            Params={
                "Bucket": self._bucket,
                "Key": name,
                "ResponseContentDisposition": content_disposition(filename),
                "ResponseContentType": mime_type,
            },
            ExpiresIn=seconds,
        )

    def upload_url(self, name: str, *, size: int | None, seconds: int) -> str:
        """Return a URL to PUT a blob, signed for `size`: S3 refuses a body of another length."""
        length = {} if size is None else {"ContentLength": size}
        return self._s3.generate_presigned_url(
            "put_object",
            Params={"Bucket": self._bucket, "Key": name, **length},
            ExpiresIn=seconds,
        )

    def _reason(self, error: ClientError, name: str) -> Exception:
        """Distinguish a missing blob from a failure.

        S3 denies access to a key that does not exist to a role that may list its prefix only. A
        list of that key shows whether it exists; if it does, or no list is allowed, the denial is
        a failure.
        """
        code = error.response["Error"]["Code"]
        missing = code == "NoSuchKey" or (code == "AccessDenied" and not self._exists(name))
        return BlobMissingError(name) if missing else error

    def _exists(self, name: str) -> bool:
        found = self._s3.list_objects_v2(Bucket=self._bucket, Prefix=name, MaxKeys=1)
        return any(one["Key"] == name for one in found.get("Contents", ()))


def _parts(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the same bytes, 8 MiB or a little more at a time."""
    gathered: list[bytes] = []
    size = 0
    for piece in pieces:
        gathered.append(piece)
        size += len(piece)
        if size >= PART_BYTES:
            part = b"".join(gathered)
            gathered.clear()
            size = 0
            yield part
    if gathered:
        yield b"".join(gathered)
