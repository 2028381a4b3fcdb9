"""Reading a file by one URL and giving its text to another: a reader that needs no rights."""

import re
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import urllib3

from assistants.documents.confined import MAX_FILE, Reading, read
from assistants.documents.formats import require_supported
from assistants.domain.retrieval.document_text import DocumentError, ExtractionFailure
from assistants.ports.parsing import encoded

PIECE_BYTES = 2**20
ERROR_BYTES = 2000
ERROR_CODE = re.compile(rb"<Code>(\w+)</Code>")

# A redirect leads to another host than the one that was signed.
_retries = urllib3.Retry(3, redirect=False)
_pool = urllib3.PoolManager(retries=_retries, timeout=urllib3.Timeout(10, read=60))


class TransferError(Exception):
    """Raised when a download or an upload by a presigned URL fails."""


def work(request: Mapping[str, Any]) -> bool:
    """Read the file of `{file, answer, filename}`: two URLs, and the name with its extension.

    Return whether this process may read another file. Raises `TransferError`.
    """
    reading = _read(request["file"], request["filename"])
    taken = _pool.request("PUT", request["answer"], body=reading.answer)
    if taken.status != 200:
        raise TransferError(f"the answer was refused with {taken.status} {_code(taken.data)}")
    return reading.filtered


def _read(url: str, filename: str) -> Reading:
    try:
        require_supported(filename)
        with TemporaryDirectory() as folder:
            path = Path(folder, "file")
            _fetch(url, path)
            return read(path, filename)
    except DocumentError as error:
        return Reading(filtered=True, answer=encoded(ExtractionFailure(error.code, error.message)))


def _fetch(url: str, path: Path) -> None:
    found = _pool.request("GET", url, preload_content=False)
    try:
        if found.status != 200:
            raise _failure(found.status, _code(found.read(ERROR_BYTES)))
        size = 0
        with path.open("wb") as target:
            for piece in found.stream(PIECE_BYTES):
                size += target.write(piece)
                if size > MAX_FILE:
                    raise DocumentError("invalid_file", "The file is larger than 512 MB.")
    finally:
        found.close()


def _failure(status: int, code: str) -> Exception:
    """Return the error of a download. Only one code means that the file does not exist."""
    if (status, code) == (404, "NoSuchKey"):
        return DocumentError("invalid_file", "The file does not exist any more.")
    return TransferError(f"the file is answered with {status} {code}")


def _code(body: bytes) -> str:
    """Return the code of S3's error."""
    found = ERROR_CODE.search(body)
    return found[1].decode() if found else "without a code"
