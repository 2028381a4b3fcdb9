"""Any provider that speaks OpenAI's chat completions, over HTTP with streaming."""

import json
from collections.abc import Iterator
from typing import Any

import urllib3
from urllib3.exceptions import HTTPError

from assistants.adapters.backoff import pause
from assistants.domain.run import ErrorCode, Usage
from assistants.ports.chat_model import (
    CallFragment,
    Delta,
    Finish,
    FinishReason,
    ModelError,
    ModelRequest,
    Refusal,
    Text,
)

_TRIES = 3
_CONNECT_SECONDS = 10.0
_RETRIED = frozenset({408, 409, 429, 500, 502, 503, 504})
_MAX_LINE_BYTES = 4 * 1024 * 1024
_MAX_ERROR_BYTES = 64 * 1024
_FINISH: dict[str, FinishReason] = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
}


class OpenAICompatible:
    """`timeout_seconds` is the longest silence between two pieces of an answer."""

    def __init__(self, url: str, key: str | None, timeout_seconds: float) -> None:
        self._url = url.rstrip("/") + "/chat/completions"
        self._headers = {"content-type": "application/json", "accept": "text/event-stream"}
        if key:
            self._headers["authorization"] = f"Bearer {key}"
        timeout = urllib3.Timeout(connect=_CONNECT_SECONDS, read=timeout_seconds)
        self._pool = urllib3.PoolManager(timeout=timeout, retries=False)

    def stream(self, request: ModelRequest) -> Iterator[Delta]:
        response = self._open(request)
        try:
            yield from _deltas(_lines(response))
        except HTTPError as error:
            raise ModelError("server_error", "The model's answer broke off.") from error
        finally:
            response.close()

    def _open(self, request: ModelRequest) -> urllib3.BaseHTTPResponse:
        """The answer's head. Tried again while nothing of an answer has come."""
        body = json.dumps(_body(request)).encode()
        for attempt in range(1, _TRIES + 1):
            try:
                response = self._pool.request(
                    "POST", self._url, body=body, headers=self._headers, preload_content=False
                )
            except HTTPError as error:
                if attempt == _TRIES:
                    raise ModelError("server_error", "The model cannot be reached.") from error
                pause(attempt)
                continue
            if response.status == 200:
                return response
            retried = response.status in _RETRIED and attempt < _TRIES
            error_body = response.read(_MAX_ERROR_BYTES, decode_content=True)
            response.close()
            if not retried:
                raise _refused(response.status, error_body)
            pause(attempt, response.headers.get("retry-after"))
        raise AssertionError("the last try returns or raises")


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


def _refused(status: int, body: bytes) -> ModelError:
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
        for delta in _of_chunk(_parsed(data)):
            finished = finished or (isinstance(delta, Finish) and delta.reason is not None)
            yield delta
    if not finished:
        raise ModelError("server_error", "The model's answer broke off.")


def _parsed(data: bytes) -> dict[str, Any]:
    try:
        chunk = json.loads(data)
    except ValueError as error:
        raise ModelError("server_error", "The model sent something unreadable.") from error
    if not isinstance(chunk, dict):
        raise ModelError("server_error", "The model sent something unreadable.")
    if problem := chunk.get("error"):
        message = problem.get("message") if isinstance(problem, dict) else problem
        raise ModelError("server_error", str(message))
    return chunk


def _of_chunk(chunk: dict[str, Any]) -> Iterator[Delta]:
    for choice in chunk.get("choices") or ():
        delta = choice.get("delta") or {}
        if delta.get("content"):
            yield Text(delta["content"])
        if delta.get("refusal"):
            yield Refusal(delta["refusal"])
        for position, call in enumerate(delta.get("tool_calls") or ()):
            function = call.get("function") or {}
            yield CallFragment(
                index=call.get("index", position),
                id=call.get("id"),
                name=function.get("name"),
                arguments=function.get("arguments") or "",
            )
        if reason := choice.get("finish_reason"):
            yield Finish(reason=_FINISH.get(reason, "stop"))
    if usage := chunk.get("usage"):
        yield Finish(usage=_usage(usage))


def _usage(usage: dict[str, Any]) -> Usage:
    prompt, completion = usage.get("prompt_tokens", 0), usage.get("completion_tokens", 0)
    return Usage(
        prompt_tokens=prompt, completion_tokens=completion, total_tokens=prompt + completion
    )
