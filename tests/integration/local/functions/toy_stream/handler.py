"""A streaming function that does what its event says."""

import json
import time
from pathlib import Path
from typing import Any

SSE = [("content-type", "text/event-stream")]


def count(event: dict[str, Any], response: Any, _: Any) -> None:
    response.begin(200, SSE)
    for number in range(event["to"]):
        response.write(f"data: {number}\n\n".encode())
        time.sleep(event.get("pause", 0))


def wait(event: dict[str, Any], response: Any, _: Any) -> None:
    """Write, and write on only when the reader has made the file."""
    response.begin(200, SSE)
    response.write(b"waiting")
    while not Path(event["for"]).exists():
        time.sleep(0.01)
    response.write(b"done")


def cookies(_: dict[str, Any], response: Any, context: Any) -> None:
    response.begin(201, [("x-one", "1"), ("set-cookie", "a=1"), ("set-cookie", "b=2")])
    response.write(context.aws_request_id.encode())


def fail_before(_: dict[str, Any], __: Any, ___: Any) -> None:
    raise ValueError("no answer today")


def fail_within(_: dict[str, Any], response: Any, __: Any) -> None:
    response.begin(200, SSE)
    response.write(b"data: 0\n\n")
    raise ValueError("broken off")


def say_nothing(_: dict[str, Any], __: Any, ___: Any) -> None:
    return


ACTIONS = {
    "count": count,
    "wait": wait,
    "cookies": cookies,
    "fail before": fail_before,
    "fail within": fail_within,
    "say nothing": say_nothing,
}


def handler(event: dict[str, Any], response: Any, context: Any) -> None:
    if "body" in event:  # it came by the REST API
        event = json.loads(event["body"])
    ACTIONS[event["do"]](event, response, context)
