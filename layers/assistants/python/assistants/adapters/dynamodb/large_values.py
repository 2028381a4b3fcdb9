"""Bodies of rows: compressed JSON, in the row up to 8 KB and in S3 above.

A hundred such rows stay below the 1 MB that one query may return. The object's key contains the
hash of its content, and it is written before the row that refers to it, so that the reference is
always valid.
"""

import hashlib
import json
import zlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import TYPE_CHECKING, Any

from assistants.ports.table import Key, Row

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ObjectIdentifierTypeDef

INLINE_BYTES = 8 * 1024
_PARALLEL = 16


class LargeValues:
    """Store bodies that are too large for a row in S3."""

    def __init__(self, bucket: str, client: Callable[[], "S3Client"]) -> None:
        self._bucket = bucket
        self._make_client = client

    @cached_property
    def _s3(self) -> "S3Client":
        return self._make_client()

    def place(self, row: Row) -> tuple[bytes | None, str | None]:
        """Return the body to write into the row, or the S3 key of its object."""
        body = _packed(row.body)
        return (body, None) if len(body) <= INLINE_BYTES else (None, _name(row.key, body))

    def keep(self, row: Row) -> None:
        """Write the body to S3 if it is too large for the row."""
        body = _packed(row.body)
        if len(body) > INLINE_BYTES:
            self._s3.put_object(Bucket=self._bucket, Key=_name(row.key, body), Body=body)

    def load(self, places: Sequence[tuple[bytes | None, str | None]]) -> list[dict[str, Any]]:
        """Return the bodies for results of `place`. Objects in S3 are read in parallel."""
        names = [name for _, name in places if name is not None]
        if len(names) > 1:
            with ThreadPoolExecutor(min(_PARALLEL, len(names))) as pool:
                kept = dict(zip(names, pool.map(self._read, names), strict=True))
        else:
            kept = {name: self._read(name) for name in names}
        return [
            json.loads(zlib.decompress(kept[name] if name is not None else body or b""))
            for body, name in places
        ]

    def forget(self, partition: str) -> bool:
        """Delete a page of the objects of a partition. Return True when none is left."""
        page = self._s3.list_objects_v2(Bucket=self._bucket, Prefix=_folder(partition))
        names: list[ObjectIdentifierTypeDef] = [
            {"Key": found["Key"]} for found in page.get("Contents", ())
        ]
        if names:
            self._s3.delete_objects(Bucket=self._bucket, Delete={"Objects": names, "Quiet": True})
        return not page["IsTruncated"]

    def _read(self, name: str) -> bytes:
        return self._s3.get_object(Bucket=self._bucket, Key=name)["Body"].read()


def _packed(body: dict[str, Any]) -> bytes:
    return zlib.compress(json.dumps(body, separators=(",", ":")).encode(), level=1)


def _folder(partition: str) -> str:
    return f"values/{partition.replace('#', '/')}/"


def _name(key: Key, body: bytes) -> str:
    place = key.sort.replace("#", "/")
    return f"{_folder(key.partition)}{place}/{hashlib.sha256(body).hexdigest()}"
