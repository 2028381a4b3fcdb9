"""Amazon Bedrock: any model of its Converse API, streamed."""

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
# Errors of which Bedrock's reference says that the same request may succeed later.
_PASSING = frozenset(
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
# Of the connection: botocore wraps what happens before the stream, not what happens within.
_BROKEN = (ConnectionError, HTTPClientError, HTTPError, ParserError)


class Bedrock:
    """`client` is botocore's of `bedrock-runtime` and tries once; `fetch` gets the bytes behind an
    image's URL, which Bedrock has to be given, or raises `FetchRefusedError`.
    """

    def __init__(self, client: Any, fetch: Callable[[str], bytes]) -> None:
        self._client = client
        self._fetch = fetch

    def stream(self, request: ModelRequest) -> Iterator[Delta]:
        asked = converse_request(request, self._image)
        parallel = request.options.get("parallel_tool_calls", True)
        yield from deltas(self._events(asked), parallel_calls=parallel)

    def _events(self, asked: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """The events of an answer. Asked again while there is no first one and it may help."""
        for attempt in range(1, _TRIES + 1):
            begun = False
            try:
                for event in self._answer(asked):
                    begun = True
                    yield event
                return
            except (ClientError, BotoCoreError, HTTPError, ParserError) as error:
                if begun or attempt == _TRIES or not _may_pass(error):
                    raise _failure(error) from error
            pause(attempt)

    def _answer(self, asked: dict[str, Any]) -> Iterator[dict[str, Any]]:
        stream = self._client.converse_stream(**asked)["stream"]
        try:
            yield from stream
        finally:
            stream.close()

    def _image(self, url: str) -> Image:
        try:
            if url[:5].lower() == "data:":
                return Image.from_data_url(url)
            return Image.of(self._fetch(url))
        except (InvalidImageError, FetchRefusedError) as error:
            raise ModelError("invalid_prompt", f"An image cannot be shown: {error}") from error


def _may_pass(error: Exception) -> bool:
    return isinstance(error, _BROKEN) or _code(error) in _PASSING


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
    """As HTTP and the stream name it: `ThrottlingException` and `throttlingException`."""
    response = error.response if isinstance(error, ClientError) else {"Error": {"Code": ""}}
    return response["Error"]["Code"].lower()
