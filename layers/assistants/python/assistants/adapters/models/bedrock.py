"""Amazon Bedrock: any model of its Converse API, with streaming."""

from collections.abc import Callable, Iterator
from typing import Any

from botocore.eventstream import ParserError
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,
    HTTPClientError,
    ParamValidationError,
)
from urllib3.exceptions import HTTPError

from assistants.adapters.backoff import pause
from assistants.adapters.guarded_fetch import FetchRefusedError
from assistants.adapters.models.bedrock_request import converse_request
from assistants.adapters.models.bedrock_stream import deltas
from assistants.domain.image import Image, InvalidImageError
from assistants.domain.run import ErrorCode
from assistants.ports.chat_model import Delta, ModelError, ModelRequest

_TRIES = 3
_CODES: dict[str, ErrorCode] = {
    "throttlingexception": "rate_limit_exceeded",
    "servicequotaexceededexception": "rate_limit_exceeded",
    "validationexception": "invalid_prompt",
}
# Errors after which the same request may succeed later, by Bedrock's API reference.
_RETRIED = frozenset(
    {
        "internalserverexception",
        "modelerrorexception",
        "modelnotreadyexception",
        "modelstreamerrorexception",
        "modeltimeoutexception",
        "serviceunavailableexception",
        "throttlingexception",
    }
)
# Errors of the connection: botocore wraps those before the stream, not those within.
_BROKEN = (ConnectionError, HTTPClientError, HTTPError, ParserError)


class Bedrock:
    """Implement `ChatModel`.

    `client` is botocore's `bedrock-runtime`, without retries of its own. `fetch` downloads an
    image, since Bedrock takes bytes and no URLs, or raises `FetchRefusedError`.
    """

    def __init__(self, client: Any, fetch: Callable[[str], bytes]) -> None:
        self._client = client
        self._fetch = fetch

    def stream(self, request: ModelRequest) -> Iterator[Delta]:
        members = converse_request(request, self._image)
        parallel = request.options.get("parallel_tool_calls", True)
        yield from deltas(self._events(members), parallel_calls=parallel)

    def _events(self, members: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Yield the events of an answer. Retries only before the first event."""
        for attempt in range(1, _TRIES + 1):
            begun = False
            try:
                for event in self._answer(members):
                    begun = True
                    yield event
                return
            except (ClientError, BotoCoreError, HTTPError, ParserError) as error:
                if begun or attempt == _TRIES or not _is_transient(error):
                    raise _failure(error) from error
            pause(attempt)

    def _answer(self, members: dict[str, Any]) -> Iterator[dict[str, Any]]:
        stream = self._client.converse_stream(**members)["stream"]
        try:
            yield from stream
        finally:
            stream.close()

    def _image(self, url: str) -> Image:
        try:
            if url[:5].lower() == "data:":
                return Image.from_data_url(url)
            return Image.from_bytes(self._fetch(url))
        except (InvalidImageError, FetchRefusedError) as error:
            raise ModelError("invalid_prompt", f"An image cannot be shown: {error}") from error


def _is_transient(error: Exception) -> bool:
    return isinstance(error, _BROKEN) or _code(error) in _RETRIED


def _failure(error: Exception) -> ModelError:
    if isinstance(error, ClientError):
        message = error.response["Error"].get("Message") or _code(error)
        return ModelError(_CODES.get(_code(error), "server_error"), message)
    if isinstance(error, ParamValidationError):
        return ModelError("invalid_prompt", str(error))
    if isinstance(error, _BROKEN):
        return ModelError("server_error", "The model cannot be reached, or broke off.")
    return ModelError("server_error", f"The model cannot be asked: {error}")


def _code(error: Exception) -> str:
    """Return the code in lower case: HTTP has `ThrottlingException`, the stream `throttling…`."""
    response = error.response if isinstance(error, ClientError) else {"Error": {"Code": ""}}
    return response["Error"]["Code"].lower()
