"""A small threaded HTTP/1.1 server, which all local endpoints share.

It has keep-alive, chunked bodies in both directions and no Nagle delay, where the servers of
Werkzeug and wsgiref close every connection. It passes on trailers, which the Lambda Runtime API
needs and which no WSGI application receives.
"""

import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler

from infra.local.http_message import Body, HttpRequest, HttpResponse

log = logging.getLogger(__name__)


class ListenError(Exception):
    """Raised when an address is taken, not permitted, or not on this machine."""


Handler = Callable[[HttpRequest], HttpResponse]


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # a small response fits in one segment
    server: "HttpServer"  # type: ignore[assignment]

    def answer(self) -> None:
        try:
            body = Body(self.rfile, self.headers)
        except ValueError:
            self.send_error(400, "Bad Content-Length")
            return
        path, _, query = self.path.partition("?")
        client = self.client_address[0]
        request = HttpRequest(self.command, path, query, self.headers, body, client)
        response = self._handle(request)
        body.discard()
        self._send(response)

    def _handle(self, request: HttpRequest) -> HttpResponse:
        try:
            return self.server.handle(request)
        except ConnectionError:
            raise
        except Exception:  # the edge of the server: a bug in an endpoint must not end the process
            log.exception("%s %s", request.method, request.path)
            return HttpResponse(500)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = answer

    def handle_expect_100(self) -> bool:
        accepted = super().handle_expect_100()
        self.wfile.flush()  # the client waits for it
        return accepted

    def _send(self, response: HttpResponse) -> None:
        framing = response.framing
        if framing == "chunked" and self.request_version == "HTTP/1.0":
            framing, self.close_connection = None, True  # the connection's end is the body's
        self.send_response_only(response.status, _reason(response.status))
        for name, value in response.headers:
            self.send_header(name, value)
        if framing == "chunked":
            self.send_header("Transfer-Encoding", "chunked")
        elif framing and isinstance(response.body, bytes):
            self.send_header("Content-Length", str(len(response.body)))
        self.end_headers()
        if self.command != "HEAD" and response.status not in (204, 304):
            self._send_body(response.body, chunked=framing == "chunked")
        self.wfile.flush()

    def _send_body(self, body: bytes | Iterator[bytes], *, chunked: bool) -> None:
        if isinstance(body, bytes):
            self.wfile.write(body)
            return
        self.wfile.flush()  # the headers need not wait for the first chunk
        for chunk in filter(None, body):
            self.wfile.write(b"%x\r\n%b\r\n" % (len(chunk), chunk) if chunked else chunk)
            self.wfile.flush()
        if chunked:
            self.wfile.write(b"0\r\n\r\n")

    def log_message(self, *_: object) -> None:
        """Log nothing: errors are logged where they occur."""


def _reason(status: int) -> str:
    return HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else "Unknown"


class HttpServer:
    """Serve `handle` at `host`:`port` (0: any free port), with one thread per connection.

    Raises `ListenError`.
    """

    def __init__(self, handle: Handler, host: str = "127.0.0.1", port: int = 0) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.handle = handle
        try:
            self._listener = socket.create_server((host, port), family=family, backlog=1024)
        except OSError as error:
            reason = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
            raise ListenError(f"Cannot listen on {host}:{port}: {reason}.") from error
        self.host, self.port = self._listener.getsockname()[:2]
        self._connections: set[socket.socket] = set()
        self._closed = False
        self._thread = threading.Thread(target=self._accept, name=f"http:{self.port}", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening and cut every open connection."""
        self._closed = True
        with suppress(OSError):  # unblocks the thread in accept
            socket.create_connection((self.host, self.port)).close()
        self._thread.join(1)
        for connection in tuple(self._connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        with self._listener:
            while True:
                try:
                    connection, client = self._listener.accept()
                except OSError as error:  # such as too many open files, which passes
                    if self._closed:
                        return
                    log.error("%s:%s: %s", self.host, self.port, error)
                    time.sleep(0.1)
                    continue
                if self._closed:
                    connection.close()
                    return
                self._connections.add(connection)
                threading.Thread(target=self._serve, args=(connection, client), daemon=True).start()

    def _serve(self, connection: socket.socket, client: object) -> None:
        try:
            with connection, suppress(ConnectionError):
                _Connection(connection, client, self)  # type: ignore[arg-type]
        finally:
            self._connections.discard(connection)
