"""A model without delay, in a process of its own."""

import multiprocessing
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from tests.support.model_server import Answer, Calls, ModelServer, Text, Turn

CONTEXT = multiprocessing.get_context("spawn")


@dataclass(frozen=True)
class Provider:
    """Its base URL, and its models: `speaks` says the time, `calls` first calls a function."""

    url: str
    speaks: str
    calls: str


@contextmanager
def provider() -> Iterator[Provider]:
    """Start the provider in a process of its own."""
    ours, theirs = CONTEXT.Pipe()
    process = CONTEXT.Process(target=_serve, args=(theirs,), daemon=True)
    process.start()
    try:
        yield ours.recv()
    finally:
        ours.send("stop")
        process.join()


def _serve(connection: Connection) -> None:
    with ModelServer() as server:
        speaks, calls = server.model(lambda _: _tell_time()), server.model(_call_or_answer)
        connection.send(Provider(server.url, speaks.name, calls.name))
        connection.recv()


def _tell_time() -> Answer:
    return Turn(Text(str(time.monotonic())))


def _call_or_answer(body: dict[str, Any]) -> Answer:
    answered = body["messages"][-1]["role"] == "tool"
    return _tell_time() if answered else Turn(Calls(weather={"city": "Paris"}))
