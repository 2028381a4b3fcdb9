"""A server of embeddings, which answers as each provider documents."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import boto3
from botocore.config import Config


def embedding(text: str) -> list[float]:
    return [float(len(text)), 1.0, 0.0, -2.0]


class EmbeddingServer:
    """Answers `POST` of every provider; `failures` are statuses that are answered first."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, dict[str, str], dict[str, Any]]] = []
        self.failures: list[int] = []
        self.answer: Any = None
        provider = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                provider.requests.append((self.path, dict(self.headers), body))
                status = provider.failures.pop(0) if provider.failures else 200
                answer = {"message": "sorry"} if status != 200 else provider.answer_to(body)
                content = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("content-length", str(len(content)))
                self.send_header("retry-after", "0")
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    @classmethod
    @contextmanager
    def started(cls) -> Iterator["EmbeddingServer"]:
        """Start a server that serves for the length of a `with`."""
        server = cls()
        thread = threading.Thread(target=server._server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server._server.shutdown()
        server._server.server_close()
        thread.join()

    def answer_to(self, body: dict[str, Any]) -> Any:
        if self.answer is not None:
            return self.answer
        if "inputText" in body:
            return {"embedding": embedding(body["inputText"]), "inputTextTokenCount": 1}
        if "texts" in body:
            return {"embeddings": {"float": [embedding(text) for text in body["texts"]]}}
        data = [{"index": n, "embedding": embedding(text)} for n, text in enumerate(body["input"])]
        return {"object": "list", "data": data[::-1], "model": body["model"]}

    def bedrock(self) -> Any:
        config = Config(retries={"mode": "standard", "total_max_attempts": 3})
        return boto3.client(
            "bedrock-runtime",
            endpoint_url=self.url,
            region_name="eu-west-1",
            aws_access_key_id="id",
            aws_secret_access_key="secret",
            config=config,
        )
