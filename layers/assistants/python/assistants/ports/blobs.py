"""Bytes under names, which begin with what they are: `files/`, `uploads/`, `texts/`, `parsed/`."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

PIECE_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Blob:
    name: str
    size: int


class BlobMissingError(Exception):
    """Raise when there is nothing under a name."""


class Blobs(Protocol):
    """A blob is there as a whole or not at all."""

    def write(self, name: str, pieces: Iterable[bytes]) -> int:
        """Write what `pieces` yields, in bounded memory; returns the number of bytes.

        If `pieces` raises, nothing is written and the error goes on.
        """
        ...

    def read(self, name: str) -> Iterator[bytes]:
        """The bytes in pieces of at most 1 MiB. Raises `BlobMissingError` before the first."""
        ...

    def copy(self, source: str, target: str) -> None:
        """Copy at most 5 GB without their passing through here. Raises `BlobMissingError`."""
        ...

    def list(self, prefix: str) -> list[Blob]:
        """All blobs whose name begins with `prefix`."""
        ...

    def delete(self, names: Sequence[str]) -> None:
        """Remove blobs; those that are gone already are fine."""
        ...

    def download_url(self, name: str, *, filename: str, mime_type: str, seconds: int) -> str:
        """A URL from which anybody may get the blob for a while, to be saved as `filename`."""
        ...

    def upload_url(self, name: str, *, size: int | None, seconds: int) -> str:
        """A URL to which anybody may PUT `size` bytes for a while, or as many as S3 takes."""
        ...
