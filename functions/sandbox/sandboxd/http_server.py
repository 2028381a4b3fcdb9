"""The HTTP server of the daemon: authorization, timeouts and size limits, but no routes."""

from __future__ import annotations

import hashlib
import hmac
import json
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, BinaryIO

_MAX_CONNECTIONS = 64
_STRANGER_SECONDS = 10
_SILENCE_SECONDS = 60
_COPY_BYTES = 1 << 20


class HttpError(Exception):
    """Raised when a request is refused, with a status and a code for programs."""

    def __init__(self, status: HTTPStatus, code: str) -> None:
        """Refuse with this status and code."""
        super().__init__(code)
        self.status, self.code = status, code


class RequestHandler(BaseHTTPRequestHandler):
    """One connection. Responses are JSON, except for files."""

    protocol_version = "HTTP/1.1"
    server_version = "sandboxd"
    sys_version = ""
    # Unbuffered or with Nagle's algorithm each kept-alive reply takes 44 ms.
    disable_nagle_algorithm = True
    wbufsize = 1 << 16
    timeout = _SILENCE_SECONDS
    server: Server

    def _serve(self) -> None:
        try:
            self._authorize()
            self.server.handle(self)
        except HttpError as refusal:
            self._refuse(refusal)

    do_GET = do_POST = do_PUT = do_DELETE = _serve

    def _authorize(self) -> None:
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        digest = hashlib.sha256(token.strip().encode()).hexdigest()
        known = hmac.compare_digest(digest, self.server.token_sha256)
        if not known or scheme.lower() != "bearer":
            raise HttpError(HTTPStatus.UNAUTHORIZED, "unauthorized")
        self.server.trust(self.connection)

    @property
    def body_bytes(self) -> int:
        """Return the announced length. Raises HttpError unless there is exactly one, in decimal."""
        lengths = self.headers.get_all("Content-Length") or []
        if "Transfer-Encoding" in self.headers or len(lengths) != 1:
            raise HttpError(HTTPStatus.LENGTH_REQUIRED, "length_required")
        if not (lengths[0].isascii() and lengths[0].isdigit()):
            raise HttpError(HTTPStatus.BAD_REQUEST, "invalid_length")
        return int(lengths[0])

    def read_json(self, limit: int) -> dict[str, Any]:
        """Return the body's object. Raises HttpError."""
        size = self.body_bytes
        if size > limit:
            raise HttpError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large")
        try:
            value = json.loads(self.rfile.read(size))
        except (ValueError, RecursionError) as error:
            raise HttpError(HTTPStatus.BAD_REQUEST, "invalid_json") from error
        if not isinstance(value, dict):
            raise HttpError(HTTPStatus.BAD_REQUEST, "invalid_json")
        return value

    def reply(self, status: HTTPStatus, body: dict[str, Any]) -> None:
        """Answer with JSON."""
        encoded = json.dumps(body).encode()
        self._head(status, "application/json", len(encoded))
        self.wfile.write(encoded)
        self.wfile.flush()

    def reply_file(self, file: BinaryIO, size: int) -> None:
        """Answer with so many bytes of a file; hang up if it has fewer by now."""
        self._head(HTTPStatus.OK, "application/octet-stream", size)
        while size and (part := file.read(min(size, _COPY_BYTES))):
            self.wfile.write(part)
            size -= len(part)
        self.wfile.flush()
        self.close_connection = self.close_connection or size > 0

    def _head(self, status: HTTPStatus, kind: str, size: int) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(size))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()

    def _refuse(self, refusal: HttpError) -> None:
        # An unread body would be parsed as the next request.
        self.close_connection = True
        self.reply(refusal.status, {"error": {"code": refusal.code}})

    def send_error(self, code: int, *_: object, **__: object) -> None:
        """Refuse a request that cannot be parsed, in the format of all refusals."""
        self._refuse(HttpError(HTTPStatus(code), "bad_request"))

    def log_message(self, *_: object) -> None:
        """Log no request: they contain names of the user's files."""


class Server(ThreadingHTTPServer):
    """A server with one thread per connection, and a limit to their number.

    Clients that have not sent the token within ten seconds are disconnected, however slowly they
    send it.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(
        self,
        address: tuple[str, int],
        token_sha256: str,
        handle: Callable[[RequestHandler], None],
        stranger_seconds: float = _STRANGER_SECONDS,
    ) -> None:
        """Listen at once."""
        self.token_sha256, self.handle = token_sha256, handle
        self._stranger_seconds = stranger_seconds
        self._strangers: dict[socket.socket, float] = {}
        self._open: set[socket.socket] = set()
        super().__init__(address, RequestHandler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Give the connection a thread, or close it when there are too many."""
        if len(self._open) >= _MAX_CONNECTIONS:
            self.shutdown_request(request)
            return
        self._open.add(request)
        self._strangers[request] = time.monotonic()
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Close a connection and forget it."""
        self._open.discard(request)
        self.trust(request)
        super().shutdown_request(request)

    def trust(self, connection: socket.socket) -> None:
        """Note that a connection has shown the token."""
        self._strangers.pop(connection, None)

    def disconnect_strangers(self) -> None:
        """Hang up on connections that have not shown the token in time."""
        latest = time.monotonic() - self._stranger_seconds
        for connection, since in list(self._strangers.items()):
            if since < latest:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Report an error, unless the client has merely disconnected."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)
