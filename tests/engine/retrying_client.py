"""A client that gives up nothing: it sends again what failed, and resumes streams that broke."""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx2

from tests.engine.contract import ENDED
from tests.support.deployment import Event

TRIES = 20
PAUSE_SECONDS = 0.2
HEADERS = {"OpenAI-Beta": "assistants=v2"}


class GaveUp(Exception):
    """Raised when a request has failed too often, or a run does not come to an end."""


@dataclass
class Patient:
    """`broken` counts the requests and streams that had to be repeated."""

    http: httpx2.Client
    broken: int = 0

    @classmethod
    @contextmanager
    def of(cls, base_url: str) -> Iterator["Patient"]:
        headers = {**HEADERS, "Authorization": f"Bearer sk-{uuid4().hex}"}
        with httpx2.Client(base_url=base_url, headers=headers, timeout=60) as http:
            yield cls(http)

    def post(self, path: str, body: Any = None) -> Any:
        """The object, made once however often this is sent. Refusals are returned, too."""
        return self._send("POST", path, body, {"Idempotency-Key": uuid4().hex})

    def get(self, path: str) -> Any:
        return self._send("GET", path)

    def delete(self, path: str) -> Any:
        """Also an answer that there is nothing (any more) is returned."""
        return self._send("DELETE", path)

    def stream(self, path: str, body: Mapping[str, Any]) -> list[Event]:
        """The events of a new stream. When it breaks the same is asked once more."""
        key = {"Idempotency-Key": uuid4().hex}
        for _ in range(TRIES):
            told = _Told()
            if self._read("POST", path, {**body, "stream": True}, key, told):
                return told.events
        raise GaveUp(path)

    def follow(self, run: Mapping[str, Any]) -> list[Event]:
        """Everything that is told of an ended run; each time it breaks, from the last event on."""
        told = _Told()
        path = f"{path_of(run)}/events"
        for _ in range(TRIES):
            self._read("GET", path, None, {"Last-Event-ID": str(told.last)}, told)
            if told.events and told.events[-1].name.rpartition(".")[2] in ENDED:
                return told.events
        raise GaveUp(path)

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
        raise GaveUp(path)

    def _read(
        self, method: str, path: str, body: Any, headers: Mapping[str, str], told: "_Told"
    ) -> bool:
        """Whether the stream came to its `done`."""
        try:
            with self.http.stream(method, path, json=body, headers=headers) as answer:
                if answer.status_code == 200:
                    told.take(answer.iter_lines())
                    return told.done
                assert answer.status_code >= 500, answer.read()
        except httpx2.TransportError:
            pass
        self._again()
        return False

    def _again(self) -> None:
        self.broken += 1
        time.sleep(PAUSE_SECONDS)


@dataclass
class _Told:
    events: list[Event] = field(default_factory=list)
    last: int = 0
    done: bool = False

    def take(self, lines: Iterator[str]) -> None:
        """Numbers go up by one, over all the streams that told them."""
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


def path_of(run: Mapping[str, Any]) -> str:
    return f"threads/{run['thread_id']}/runs/{run['id']}"
