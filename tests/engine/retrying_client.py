"""A client that sends failed requests again and resumes streams that broke."""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx2

from tests.engine.contract import ENDED
from tests.support.api_client import Event
from tests.support.deployment import path

TRIES = 20
PAUSE_SECONDS = 0.2
HEADERS = {"OpenAI-Beta": "assistants=v2"}


class RetriesExhaustedError(Exception):
    """Raised when a request has failed too often, or a run does not end."""


@dataclass
class RetryingClient:
    """Counts in `retries` the requests and streams that had to be repeated."""

    http: httpx2.Client
    retries: int = 0

    @classmethod
    @contextmanager
    def of(cls, base_url: str) -> Iterator["RetryingClient"]:
        headers = {**HEADERS, "Authorization": f"Bearer sk-{uuid4().hex}"}
        with httpx2.Client(base_url=base_url, headers=headers, timeout=60) as http:
            yield cls(http)

    def post(self, path: str, body: Any = None) -> Any:
        """Return the object, made once however often this is sent, or the refusal."""
        return self._send("POST", path, body, {"Idempotency-Key": uuid4().hex})

    def get(self, path: str) -> Any:
        return self._send("GET", path)

    def delete(self, path: str) -> Any:
        """Return the answer, also the one that there is nothing (any more)."""
        return self._send("DELETE", path)

    def stream(self, path: str, body: Mapping[str, Any]) -> list[Event]:
        """Return the events of a new stream, asking for it again when it breaks."""
        key = {"Idempotency-Key": uuid4().hex}
        for _ in range(TRIES):
            received = _Received()
            if self._read("POST", path, {**body, "stream": True}, key, received):
                return received.events
        raise RetriesExhaustedError(path)

    def follow(self, run: Mapping[str, Any]) -> list[Event]:
        """Return all events of an ended run; resume after the last one when the stream breaks."""
        received = _Received()
        events = f"{path(run)}/events"
        for _ in range(TRIES):
            self._read("GET", events, None, {"Last-Event-ID": str(received.last)}, received)
            if received.events and received.events[-1].name.rpartition(".")[2] in ENDED:
                return received.events
        raise RetriesExhaustedError(events)

    def _send(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> Any:
        for _ in range(TRIES):
            try:
                answer = self.http.request(method, path, json=body, headers=headers)
            except httpx2.TransportError:
                answer = None
            if answer is not None and answer.status_code < 500:
                return answer.json()
            self._again()
        raise RetriesExhaustedError(path)

    def _read(
        self, method: str, path: str, body: Any, headers: Mapping[str, str], received: "_Received"
    ) -> bool:
        """Read a stream, and return whether it reached its `done`."""
        try:
            with self.http.stream(method, path, json=body, headers=headers) as answer:
                if answer.status_code == 200:
                    received.take(answer.iter_lines())
                    return received.done
                assert answer.status_code >= 500, answer.read()
        except httpx2.TransportError:
            pass
        self._again()
        return False

    def _again(self) -> None:
        self.retries += 1
        time.sleep(PAUSE_SECONDS)


@dataclass
class _Received:
    """The events so far, of all the streams of one run."""

    events: list[Event] = field(default_factory=list)
    last: int = 0
    done: bool = False

    def take(self, lines: Iterator[str]) -> None:
        """Add the events of a stream, whose numbers go up by one from stream to stream."""
        name = ""
        for line in lines:
            member, _, value = line.partition(": ")
            if member == "id":
                assert int(value) == self.last + 1 or not self.last, "an event is missing"
                self.last = int(value)
            elif member == "event":
                name = value
                self.done = name == "done"
            elif member == "data" and not self.done:
                self.events.append(Event(name, json.loads(value)))
