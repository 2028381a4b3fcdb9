"""One connection to the model server: requests come in, answers are played."""

import json
import socket
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from itertools import count
from threading import Event
from typing import Any

from tests.support.model_server import chunks
from tests.support.model_server.script import (
    Answer,
    Break,
    Garbage,
    HttpError,
    Part,
    Pause,
    Turn,
    Wait,
)

_completion_numbers = count(1)


@dataclass
class Request:
    """One request that reached the server; the headers' names in lower case."""

    body: dict[str, Any]
    headers: dict[str, str]


class _ConnectionCutError(Exception):
    """The script says `Break`."""


class Exchange(BaseHTTPRequestHandler):
    """Serves `POST /v1/chat/completions`, streamed or whole, by asking `receive` for the answer."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def __init__(
        self,
        receive: Callable[[Request], Answer],
        wait: Callable[[Event], None],
        connection: socket.socket,
        *address_and_server: Any,
    ) -> None:
        self._receive = receive
        self._wait = wait
        super().__init__(connection, *address_and_server)

    def handle(self) -> None:
        """Serve the connection until the client leaves, be it in the middle of an answer."""
        with suppress(ConnectionError):
            super().handle()

    def do_POST(self) -> None:
        """Play one answer; the name is http.server's."""
        content = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path != "/v1/chat/completions":
            self._refuse(HttpError(404, f"Invalid URL (POST {self.path})"))
            return
        request = Request(json.loads(content), {k.lower(): v for k, v in self.headers.items()})
        try:
            self._play(self._receive(request), request)
        except _ConnectionCutError:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, format: str, *args: Any) -> None:
        """Tests look at `requests`; nothing goes to the terminal."""

    def _play(self, answer: Answer, request: Request) -> None:
        if isinstance(answer, HttpError):
            self._refuse(answer)
        elif request.body.get("stream"):
            _Stream(self, request, answer).play()
        else:
            self._send_whole(answer, request.body["model"])

    def _send_whole(self, turn: Turn, model: str) -> None:
        for part in turn.parts:
            self.act(part)
        content = json.dumps(chunks.completion(_completion_id(), model, turn)).encode()
        garbage = [part.content for part in turn.parts if isinstance(part, Garbage)]
        self._send(200, {}, garbage[0] if garbage else content)

    def _refuse(self, error: HttpError) -> None:
        self._send(error.status, error.headers, error.content)

    def _send(self, status: int, headers: Mapping[str, str], content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def act(self, part: Part) -> None:
        """Do what a part does to time and to the connection; content parts do nothing."""
        match part:
            case Pause(seconds=seconds):
                time.sleep(seconds)
            case Wait(gate=gate):
                self._wait(gate)
            case Break():
                raise _ConnectionCutError


class _Stream:
    """A turn on its way out as server-sent events."""

    def __init__(self, exchange: Exchange, request: Request, turn: Turn) -> None:
        self._exchange = exchange
        self._request = request
        self._turn = turn
        self._id = _completion_id()
        self._model = request.body["model"]
        self._begun = False
        self._opened = False

    def play(self) -> None:
        for part in self._turn.parts:
            self._exchange.act(part)
            if isinstance(part, Garbage):
                self._write(part.content)
            for delta in chunks.deltas(part):
                self._delta(delta)
        self._event(chunks.chunk(self._id, self._model, {}, self._turn.finish))
        if (self._request.body.get("stream_options") or {}).get("include_usage"):
            last = chunks.chunk(self._id, self._model, {})
            self._event({**last, "choices": [], "usage": chunks.usage(self._turn)})
        self._write(b"data: [DONE]\n\n")
        self._exchange.wfile.write(b"0\r\n\r\n")

    def _delta(self, delta: chunks.Delta) -> None:
        if not self._opened:
            self._opened = True
            self._event(chunks.chunk(self._id, self._model, chunks.OPENING))
        self._event(chunks.chunk(self._id, self._model, delta))

    def _event(self, data: chunks.Delta) -> None:
        self._write(b"data: %s\n\n" % json.dumps(data).encode())

    def _write(self, content: bytes) -> None:
        if not self._begun:
            self._begin()
        self._exchange.wfile.write(b"%x\r\n%s\r\n" % (len(content), content))

    def _begin(self) -> None:
        self._begun = True
        self._exchange.send_response(200)
        self._exchange.send_header("Content-Type", "text/event-stream")
        self._exchange.send_header("Transfer-Encoding", "chunked")
        self._exchange.end_headers()


def _completion_id() -> str:
    return f"chatcmpl-{next(_completion_numbers)}"
