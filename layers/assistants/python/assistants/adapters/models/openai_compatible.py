"""Any provider with OpenAI's chat completions, over HTTP with streaming."""

import json
from collections.abc import Iterator
from typing import Any

import urllib3
from urllib3.exceptions import HTTPError, ReadTimeoutError

from assistants.adapters.backoff import pause
from assistants.adapters.models.chat_chunks import deltas_of
from assistants.adapters.secrets import Secret
from assistants.domain.run import ErrorCode
from assistants.ports.chat_model import Delta, FinishDelta, ModelError, ModelRequest

_TRIES = 3
_CONNECT_SECONDS = 10.0
_RETRIED = frozenset({408, 409, 429, 500, 502, 503, 504})
_MAX_LINE_BYTES = 4 * 1024 * 1024
_MAX_ERROR_BYTES = 64 * 1024


class OpenAICompatible:
    """Implement `ChatModel`. `timeout_seconds` limits the time between two pieces of an answer."""

    def __init__(self, url: str, key: Secret, timeout_seconds: float) -> None:
        self._url = url.rstrip("/") + "/chat/completions"
        self._key = key
        timeout = urllib3.Timeout(connect=_CONNECT_SECONDS, read=timeout_seconds)
        self._pool = urllib3.PoolManager(timeout=timeout, retries=False)

    def stream(self, request: ModelRequest) -> Iterator[Delta]:
        try:
            response = self._open(request)
            try:
                yield from _deltas(_lines(response))
            finally:
                response.close()
        except ReadTimeoutError as error:
            raise ModelError("server_error", "The model fell silent.") from error
        except HTTPError as error:
            raise ModelError("server_error", "The model's answer broke off.") from error

    def _open(self, request: ModelRequest) -> urllib3.BaseHTTPResponse:
        """Send the request and return the response, after its headers.

        Retries errors before any content. A read timeout is final: it is as long as a turn may wait
        for the model.
        """
        body, headers = json.dumps(_body(request)).encode(), self._headers()
        for attempt in range(1, _TRIES + 1):
            last = attempt == _TRIES
            try:
                response = self._pool.request(
                    "POST", self._url, body=body, headers=headers, preload_content=False
                )
            except ReadTimeoutError:
                raise
            except HTTPError as error:
                if last:
                    raise ModelError("server_error", "The model cannot be reached.") from error
                pause(attempt)
                continue
            if response.status == 200:
                return response
            error_body = response.read(_MAX_ERROR_BYTES, decode_content=True)
            response.close()
            if last or response.status not in _RETRIED:
                raise _failure(response.status, error_body)
            pause(attempt, response.headers.get("retry-after"))
        raise AssertionError("the last try returns or raises")

    def _headers(self) -> dict[str, str]:
        key = self._key()
        authorization = {"authorization": f"Bearer {key}"} if key else {}
        return {"content-type": "application/json", "accept": "text/event-stream", **authorization}


def _body(request: ModelRequest) -> dict[str, Any]:
    body: dict[str, Any] = {
        "model": request.model,
        "messages": request.messages,
        "stream": True,
        "stream_options": {"include_usage": True},
        **request.options,
    }
    if request.tools:
        body["tools"] = request.tools
    return body


def _failure(status: int, body: bytes) -> ModelError:
    """Return the error of a run. Its users learn nothing about the deployment's key."""
    if status in (401, 403):
        return ModelError("server_error", "The model refuses the key of this deployment.")
    try:
        message = json.loads(body)["error"]["message"]
    except (ValueError, KeyError, TypeError):
        message = f"The model answered with status {status}."
    code: ErrorCode = "server_error"
    if status == 429:
        code = "rate_limit_exceeded"
    elif status == 400:
        code = "invalid_prompt"
    return ModelError(code, str(message))


def _lines(response: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
    buffer = b""
    while chunk := response.read1():
        *lines, buffer = (buffer + chunk).split(b"\n")
        if len(buffer) > _MAX_LINE_BYTES:
            raise ModelError("server_error", "The model sent a line without an end.")
        yield from lines


def _deltas(lines: Iterator[bytes]) -> Iterator[Delta]:
    finished = False
    for line in lines:
        if not line.startswith(b"data:"):
            continue
        data = line[5:].strip()
        if data == b"[DONE]":
            return
        for delta in deltas_of(data):
            finished = finished or (isinstance(delta, FinishDelta) and delta.reason is not None)
            yield delta
    if not finished:
        raise ModelError("server_error", "The model's answer broke off.")
