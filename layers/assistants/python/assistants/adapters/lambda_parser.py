"""Reading files in a function of its own, which may do nothing: it gets one URL and fills one."""

import json
import uuid
from collections.abc import Callable
from functools import cached_property
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from assistants.adapters.lambda_calls import invoke
from assistants.domain.errors import RateLimitError
from assistants.domain.retrieval.document_text import DocumentError, ExtractedText
from assistants.ports.blobs import BlobMissingError, Blobs
from assistants.ports.parsing import MAX_ANSWER, ParsingUnavailableError, decoded

PREFIX = "parsed/"
_URL_SECONDS = 600

# The function ends before the client gives up on it.
CONFIG = Config(read_timeout=240, retries={"total_max_attempts": 3})


class LambdaParser:
    """A `Parser` that invokes the function `name` and takes its answer out of the bucket."""

    def __init__(self, name: str, blobs: Blobs, client: Callable[[], Any]) -> None:
        self._name = name
        self._blobs = blobs
        self._make_client = client

    @cached_property
    def _client(self) -> Any:
        return self._make_client()

    def parse(self, blob: str, filename: str) -> ExtractedText:
        answer = f"{PREFIX}{uuid.uuid4().hex}"
        kind = {"filename": "file", "mime_type": "application/octet-stream"}
        request = {
            "file": self._blobs.download_url(blob, **kind, seconds=_URL_SECONDS),
            "answer": self._blobs.upload_url(answer, size=None, seconds=_URL_SECONDS),
            "filename": filename,
        }
        try:
            reason = self._invoke(request)
            return decoded(self._read(answer))
        except BlobMissingError as error:
            raise self._failure(blob, reason) from error
        finally:
            self._blobs.delete([answer])

    def _failure(self, blob: str, reason: str) -> Exception:
        """Return the error, by a list: a parser that was denied a file cannot know if it exists."""
        if any(found.name == blob for found in self._blobs.list(blob)):
            return ParsingUnavailableError(f"The parser failed: {reason}")
        return DocumentError("invalid_file", "The file does not exist any more.")

    def _invoke(self, request: dict[str, str]) -> str:
        """Return Lambda's reason for a failure.

        It does not count while there is an answer: a parser may end after it has given one.
        """
        try:
            answer = invoke(self._client, self._name, json.dumps(request).encode())
        except (BotoCoreError, ClientError, RateLimitError) as error:
            raise ParsingUnavailableError(f"The parser does not answer: {error}") from error
        said = answer["Payload"].read(1000).decode("utf-8", "replace")
        return said if "FunctionError" in answer else "it gave no answer"

    def _read(self, name: str) -> bytes:
        """Cut off beyond what an answer can have, which makes it none."""
        found = bytearray()
        for piece in self._blobs.read(name):
            found += piece
            if len(found) > MAX_ANSWER:
                break
        return bytes(found)
