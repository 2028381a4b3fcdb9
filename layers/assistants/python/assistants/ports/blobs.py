"""Blobs: bytes under a name, which begins with `files/`, `uploads/`, `texts/` or `parsed/`."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

PIECE_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Blob:
    name: str
    size: int


class BlobMissingError(Exception):
    """Raised when no blob has the name."""


class Blobs(Protocol):
    """A blob exists as a whole or not at all."""

    def write(self, name: str, pieces: Iterable[bytes]) -> int:
        """Write the bytes that `pieces` yields, in bounded memory; return how many they are.

        If `pieces` raises, write nothing and let the error through.
        """
        ...

    def read(self, name: str) -> Iterator[bytes]:
        """Yield pieces of at most 1 MiB. Raises `BlobMissingError` before the first one."""
        ...

    def copy(self, source: str, target: str) -> None:
        """Copy at most 5 GB inside the storage. Raises `BlobMissingError`."""
        ...

    def list(self, prefix: str) -> list[Blob]:
        """Return all blobs whose name begins with `prefix`."""
        ...

    def delete(self, names: Sequence[str]) -> None:
        """Delete blobs. Ignore names that no blob has."""
        ...

    def download_url(self, name: str, *, filename: str, mime_type: str, seconds: int) -> str:
        """Return a URL that lets anybody GET the blob for `seconds`, to save it as `filename`."""
        ...

    def upload_url(self, name: str, *, size: int | None, seconds: int) -> str:
        """Return a URL that lets anybody PUT the blob for `seconds`.

        Exactly `size` bytes are accepted, or without a size as many as S3 allows (5 GB).
        """
        ...
