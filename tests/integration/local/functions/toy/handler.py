"""A buffered function that does what its event says."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any


def echo(event: dict[str, Any], _: Any) -> Any:
    return {"echo": event["value"], "pid": os.getpid()}


def environment(_: dict[str, Any], __: Any) -> Any:
    return dict(os.environ)


def describe(_: dict[str, Any], context: Any) -> Any:
    return {
        "request_id": context.aws_request_id,
        "arn": context.invoked_function_arn,
        "remaining_ms": context.get_remaining_time_in_millis(),
    }


def sleep(event: dict[str, Any], _: Any) -> Any:
    time.sleep(event["seconds"])
    return os.getpid()


def wait_for(event: dict[str, Any], _: Any) -> Any:
    while not Path(event["path"]).exists():
        time.sleep(0.01)


def say(event: dict[str, Any], _: Any) -> Any:
    print(event["value"])


def fail(event: dict[str, Any], _: Any) -> Any:
    raise ValueError(event["message"])


def leave(event: dict[str, Any], _: Any) -> Any:
    os._exit(event["status"])


def fill(event: dict[str, Any], _: Any) -> Any:
    return "x" * event["size"]


ACTIONS: dict[str, Callable[[dict[str, Any], Any], Any]] = {
    "echo": echo,
    "environment": environment,
    "context": describe,
    "sleep": sleep,
    "wait for": wait_for,
    "print": say,
    "fail": fail,
    "exit": leave,
    "fill": fill,
}


def handler(event: dict[str, Any], context: Any) -> Any:
    return ACTIONS[event["do"]](event, context)
