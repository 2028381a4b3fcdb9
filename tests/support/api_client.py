"""A client of the ASGI application, without a network and without an event loop."""

import json
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from starlette.types import ASGIApp, Message

BETA = {"openai-beta": "assistants=v2"}


class Event(NamedTuple):
    """One frame of an event stream."""

    name: str
    data: Any


@dataclass(frozen=True)
class Answer:
    """One HTTP response."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> dict[str, Any]:
        """The members of the error envelope."""
        assert self.status >= 400, self.body
        error: dict[str, Any] = self.json["error"]
        assert set(self.json) == {"error"}
        assert set(error) == {"message", "type", "param", "code"}
        return error

    @property
    def events(self) -> list[Event]:
        """The frames of an event stream; `done` carries the text `[DONE]`."""
        assert self.headers["content-type"].startswith("text/event-stream"), self.body
        found = []
        for block in self.body.decode().split("\n\n")[:-1]:
            lines = [line.partition(": ") for line in block.split("\n")]
            fields = {name: value for name, _, value in lines if name}
            if fields:
                data = fields["data"]
                found.append(Event(fields["event"], data if data == "[DONE]" else json.loads(data)))
        return found


class Client:
    """Calls an ASGI application as an SDK does: bearer key, beta header, JSON."""

    def __init__(self, app: ASGIApp, key: str = "sk-test") -> None:
        self._app = app
        self._key = key

    def request(
        self,
        method: str,
        url: str,
        body: Any = None,
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
    ) -> Answer:
        if content is None:
            content = b"" if body is None else json.dumps(body).encode()
        given = {"authorization": f"Bearer {self._key}", **BETA, **(headers or {})}
        path, _, query = url.partition("?")
        return _run(self._exchange(method, path, query, given, content))

    def get(self, url: str, **headers: str) -> Any:
        """Return the JSON of an answer that must be 200."""
        return _ok(self.request("GET", url, headers=headers))

    def post(self, url: str, body: Any = None, **headers: str) -> Any:
        return _ok(self.request("POST", url, body, headers=headers))

    def delete(self, url: str) -> Any:
        return _ok(self.request("DELETE", url))

    def stream(self, url: str, body: Any) -> list[Event]:
        answer = self.request("POST", url, {**body, "stream": True})
        assert answer.status == 200, answer.body
        return answer.events

    def refused(self, method: str, url: str, body: Any = None) -> str:
        """Return the message of an answer that must be 400 with neither param nor code."""
        answer = self.request(method, url, body)
        assert answer.status == 400, answer.body
        assert (answer.error["param"], answer.error["code"]) == (None, None)
        return str(answer.error["message"])

    async def _exchange(
        self, method: str, path: str, query: str, headers: Mapping[str, str], content: bytes
    ) -> Answer:
        sent: list[Message] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": content, "more_body": False}

        async def send(message: Message) -> None:
            sent.append(message)

        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "https",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
            "server": ("testserver", 443),
            "client": ("127.0.0.1", 1),
        }
        await self._app(scope, receive, send)
        start, *rest = sent
        return Answer(
            start["status"],
            {name.decode(): value.decode() for name, value in start["headers"]},
            b"".join(message.get("body", b"") for message in rest),
        )


def _run(coroutine: Coroutine[Any, Any, Answer]) -> Answer:
    """Run it without an event loop: the application never waits for anything, so that a test may
    call it in the middle of a call.
    """
    try:
        coroutine.send(None)
    except StopIteration as finished:
        answer: Answer = finished.value
        return answer
    raise AssertionError("the application waits for something")


def _ok(answer: Answer) -> Any:
    assert answer.status == 200, answer.body
    return answer.json
