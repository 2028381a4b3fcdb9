"""Reading a file by one URL and giving its text to another: a reader that needs no rights."""

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import urllib3

from assistants.documents.confined import MAX_FILE, parse
from assistants.documents.formats import require_supported
from assistants.domain.retrieval.document_text import (
    DocumentError,
    ExtractedText,
    ExtractionFailure,
)
from assistants.ports.parsing import encoded

PIECE_BYTES = 2**20
MISSING = (403, 404)  # S3 answers the first to callers that may not list the bucket

_pool = urllib3.PoolManager(retries=urllib3.Retry(3), timeout=urllib3.Timeout(10, read=60))


class TransferError(Exception):
    """Raised when a download or an upload by a presigned URL fails."""


def work(request: Mapping[str, Any]) -> None:
    """Read the file of `{file, answer, filename}`: two URLs, and the name with its extension.

    Raises `TransferError`.
    """
    answer = encoded(_outcome(request["file"], request["filename"]))
    taken = _pool.request("PUT", request["answer"], body=answer)
    if taken.status != 200:
        raise TransferError(f"the answer was refused with {taken.status}")


def _outcome(url: str, filename: str) -> ExtractedText | ExtractionFailure:
    try:
        require_supported(filename)
        with TemporaryDirectory() as folder:
            path = Path(folder, "file")
            _fetch(url, path)
            return parse(path, filename)
    except DocumentError as error:
        return ExtractionFailure(error.code, error.message)


def _fetch(url: str, path: Path) -> None:
    found = _pool.request("GET", url, preload_content=False)
    try:
        if found.status in MISSING:
            raise DocumentError("invalid_file", "The file does not exist any more.")
        if found.status != 200:
            raise TransferError(f"the file is answered with {found.status}")
        size = 0
        with path.open("wb") as target:
            for piece in found.stream(PIECE_BYTES):
                size += target.write(piece)
                if size > MAX_FILE:
                    raise DocumentError("invalid_file", "The file is larger than 512 MB.")
    finally:
        found.close()
