"""Requests and answers over HTTP, and the server that passes them to a handler."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from gzip import decompress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

import urllib3


@dataclass(frozen=True)
class Request:
    """The names of headers are in lower case, and the body is as it was sent."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def parameters(self) -> dict[str, list[str]]:
        return parse_qs(urlsplit(self.target).query, keep_blank_values=True)

    @property
    def text(self) -> str:
        zipped = self.headers.get("content-encoding") == "gzip"
        return (decompress(self.body) if zipped else self.body).decode()

    @property
    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.text.splitlines()]


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes = b""

    @classmethod
    def of(cls, value: Any, status: int = 200) -> Self:
        return cls(status, json.dumps(value).encode())


Handler = Callable[[Request], Answer]


def forward(url: str) -> Handler:
    """Pass requests on to a node, without their signature."""
    pool = urllib3.PoolManager()

    def handle(request: Request) -> Answer:
        kept = ("content-type", "content-encoding")
        headers = {name: request.headers[name] for name in kept if name in request.headers}
        target = url + request.target
        answer = pool.request(request.method, target, body=request.body, headers=headers)
        return Answer(answer.status, answer.data)

    return handle


class Server:
    """Serves a handler on a free port of the loopback, for the length of a `with`."""

    def __init__(self, handler: Handler) -> None:
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Exchange, handler))
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_port}"
        self._thread = Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


class _Exchange(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def __init__(self, handler: Handler, *arguments: Any) -> None:
        self._handler = handler
        super().__init__(*arguments)

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = self._handler(Request(self.command, self.path, headers, body))
        self.send_response(answer.status)
        self.send_header("Content-Type", "application/json; charset=UTF-8")
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = _serve

    def log_message(self, *_: Any) -> None:
        """Nothing is logged."""
