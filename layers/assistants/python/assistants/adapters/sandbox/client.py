"""The HTTP client of `sandboxd`, the daemon of a code interpreter session.

It knows only the daemon's protocol, not the service.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import IO, Any, Literal
from urllib.parse import quote

import urllib3

from assistants.ports.sandbox import (
    MAX_FILE_BYTES,
    MAX_WAIT_SECONDS,
    MadeFile,
    Reason,
    SandboxLostError,
    SandboxRefusedError,
)

_OVERTIME_SECONDS = 90  # for a kernel's restart and the grace period of an interrupt
_CONNECT_SECONDS = 5.0
_CHUNK_BYTES = 1 << 20
# All calls are idempotent: executions have ids, and files are replaced as a whole.
_RETRIES = urllib3.Retry(total=3, backoff_factor=0.1, allowed_methods=None)
# For bodies that are streamed, and so cannot be sent twice.
_ONCE = urllib3.Retry(total=3, read=False, other=0, backoff_factor=0.1, allowed_methods=None)

Body = bytes | IO[bytes] | Iterable[bytes]


class NoAnswerError(SandboxLostError):
    """Raised when nothing answers at the address: the session has ended, or is still starting."""


@dataclass(frozen=True)
class SandboxImage:
    """A PNG or JPEG, checked by the daemon."""

    mime: str
    data: bytes


@dataclass(frozen=True)
class ExecutionResult:
    """The result of an execution, as the daemon reports it (see `ports.sandbox.Execution`).

    `total` is the size of the output in bytes, of which `logs` keeps 64 KiB.
    """

    ok: bool
    error: str | None
    reason: Reason | None
    lost: bool
    generation: int
    logs: str
    truncated: bool
    total: int
    images: tuple[SandboxImage, ...]
    files: tuple[MadeFile, ...]
    skipped: int
    seconds: float

    @classmethod
    def from_json(cls, body: dict[str, Any]) -> ExecutionResult:
        """Read the daemon's JSON."""
        images = (
            SandboxImage(image["mime"], base64.b64decode(image["data"])) for image in body["images"]
        )
        files = (MadeFile(**file) for file in body["files"])
        return cls(**{**body, "images": tuple(images), "files": tuple(files)})


class SandboxClient:
    """The client of one session. All methods raise `SandboxLostError` and `SandboxRefusedError`."""

    def __init__(self, base_url: str, token: str) -> None:
        self._base_url = base_url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}"}
        self._pool = urllib3.PoolManager(
            timeout=urllib3.Timeout(connect=_CONNECT_SECONDS, read=MAX_WAIT_SECONDS + 10)
        )

    def run(self, execution_id: str, code: str, timeout_seconds: float = 120) -> ExecutionResult:
        """Run code once per id and wait for the result; a repeated call waits for the same one."""
        give_up = time.monotonic() + timeout_seconds + _OVERTIME_SECONDS
        order = {"id": execution_id, "code": code, "timeout": timeout_seconds}
        result = self.start({**order, "wait": MAX_WAIT_SECONDS})
        while result is None:
            if time.monotonic() > give_up:
                raise SandboxLostError("the session does not finish what it has begun")
            result = self.result(execution_id)
        return result

    def start(self, order: dict[str, Any]) -> ExecutionResult | None:
        """Send `{id, code, timeout, wait}`; return the result, or None after `wait` seconds."""
        return self._execution("POST", "/v1/exec", json.dumps(order).encode())

    def result(
        self, execution_id: str, wait_seconds: float = MAX_WAIT_SECONDS
    ) -> ExecutionResult | None:
        """Wait for a result, at most 25 seconds; return None if there is none yet."""
        return self._execution("GET", f"/v1/exec/{execution_id}?wait={wait_seconds}")

    def cancel(self, execution_id: str) -> None:
        """Interrupt an execution, whose reason is then `cancelled`. Ignore an unknown one."""
        response = self._request("POST", f"/v1/exec/{execution_id}/cancel", b"", {}, preload=True)
        if response.status != HTTPStatus.NOT_FOUND:
            _raise_for(response)

    def store(self, name: str, body: Body, size: int) -> None:
        """Write /mnt/data/`name`, replacing any file there."""
        self._call("PUT", f"/v1/files/{quote(name)}", body, {"Content-Length": str(size)})

    @contextmanager
    def fetch(self, name: str) -> Iterator[Iterator[bytes]]:
        """Yield the chunks of /mnt/data/`name`. Raises `SandboxRefusedError` above 512 MiB."""
        response = self._request("GET", f"/v1/files/{quote(name)}", None, {}, preload=False)
        try:
            _raise_for(response)
            if int(response.headers["Content-Length"]) > MAX_FILE_BYTES:
                raise SandboxRefusedError("too_large")
            yield response.stream(_CHUNK_BYTES)
        except urllib3.exceptions.HTTPError as error:
            raise SandboxLostError("the session broke off") from error
        finally:
            response.release_conn()

    def health(self) -> dict[str, Any]:
        """Return ready, busy, generation, seconds_left and active protections. Never retries."""
        response = self._request("GET", "/v1/health", None, {}, preload=True, retries=False)
        _raise_for(response)
        health: dict[str, Any] = response.json()
        return health

    def end(self) -> None:
        """End the session, which deletes its variables and files."""
        self._call("DELETE", "/v1/session")

    def _execution(
        self, method: str, path: str, body: bytes | None = None
    ) -> ExecutionResult | None:
        response = self._call(method, path, body)
        return ExecutionResult.from_json(response.json()) if response.status == 200 else None

    def _call(
        self,
        method: str,
        path: str,
        body: Body | None = None,
        headers: dict[str, str] | None = None,
    ) -> urllib3.BaseHTTPResponse:
        retries = _RETRIES if body is None or isinstance(body, bytes) else _ONCE
        response = self._request(method, path, body, headers or {}, preload=True, retries=retries)
        _raise_for(response)
        return response

    def _request(
        self,
        method: str,
        path: str,
        body: Body | None,
        headers: dict[str, str],
        *,
        preload: bool,
        retries: urllib3.Retry | Literal[False] = _RETRIES,
    ) -> urllib3.BaseHTTPResponse:
        try:
            return self._pool.request(
                method,
                self._base_url + path,
                body=body,
                headers={**self._headers, **headers},
                preload_content=preload,
                retries=retries,
            )
        except urllib3.exceptions.HTTPError as error:
            raise NoAnswerError("the session does not answer") from error


def _raise_for(response: urllib3.BaseHTTPResponse) -> None:
    if response.status < 400:
        return
    try:
        code = json.loads(response.data)["error"]["code"]
    except (ValueError, LookupError, TypeError) as error:
        raise SandboxLostError("something else answers at the session's address") from error
    if code in ("unauthorized", "unknown_execution"):
        # another session has the address by now
        raise SandboxLostError(code)
    raise SandboxRefusedError(code)
