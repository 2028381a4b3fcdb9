"""The HTTP server that plays scripts; one thread for each connection, nothing buffered."""

import json
import re
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Self
from urllib.parse import unquote

from tests.support.bedrock_server import frames
from tests.support.bedrock_server.script import Answer, Broken, Event, Fault, Refused


@dataclass(frozen=True)
class Request:
    """One request that reached the server; the headers' names in lower case."""

    model: str
    body: dict[str, Any]
    headers: dict[str, str]


class BedrockServer:
    """Bedrock's runtime on a free loopback port, for the length of a `with`; with a `tls` context
    as `localhost`.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[Request] = []
        self._answers: Iterator[Answer] = iter(())
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Exchange, self))
        self._http.daemon_threads = True
        port = self._http.server_port
        self.url = f"https://localhost:{port}" if tls else f"http://127.0.0.1:{port}"
        if tls:
            self._http.socket = tls.wrap_socket(self._http.socket, server_side=True)
        self._thread = Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)

    def script(self, *answers: Answer) -> None:
        """Forget what was asked; answer the next requests so, and those after them with 400."""
        self.requests = []
        self._answers = iter(answers)

    def take(self, request: Request) -> Answer:
        self.requests.append(request)
        ended = Refused(400, "ValidationException", "The script has no more answers.")
        return next(self._answers, ended)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


class _Exchange(BaseHTTPRequestHandler):
    """Serves `POST /model/{modelId}/converse-stream`."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def __init__(self, server: BedrockServer, connection: socket.socket, *rest: Any) -> None:
        self._script = server
        super().__init__(connection, *rest)

    def do_POST(self) -> None:
        """Play one answer; the name is http.server's."""
        content = self.rfile.read(int(self.headers["Content-Length"]))
        path = re.fullmatch(r"/model/([^/]+)/converse-stream", self.path)
        assert path, self.path
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = self._script.take(Request(unquote(path[1]), json.loads(content), headers))
        if isinstance(answer, Refused):
            self._refuse(answer)
        else:
            self._play(answer)

    def log_message(self, format: str, *args: Any) -> None:
        """Tests look at `requests`; nothing goes to the terminal."""

    def _refuse(self, answer: Refused) -> None:
        content = json.dumps({"message": answer.message}).encode()
        self.send_response(answer.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("x-amzn-ErrorType", answer.kind)
        self.end_headers()
        self.wfile.write(content)

    def _play(self, answer: list[Event | Fault | Broken]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", frames.CONTENT_TYPE)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for item in answer:
            match item:
                case Broken(content):
                    if content:
                        self._chunk(content)
                    self.close_connection = True
                    return
                case Fault(kind, message):
                    self._chunk(frames.exception(kind, message))
                case _:
                    [(kind, payload)] = item.items()
                    self._chunk(frames.event(kind, payload))
        self.wfile.write(b"0\r\n\r\n")

    def _chunk(self, content: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(content), content))
