"""Server-sent events: frames of `id`, `event` and `data`, and comments that keep the line open."""

import json
from collections.abc import Iterable, Iterator

from assistants.services.relay import Told

DONE = b"event: done\ndata: [DONE]\n\n"
KEEP_ALIVE = b": keep-alive\n\n"


def frames(told: Iterable[Told | None]) -> Iterator[bytes]:
    for event in told:
        yield KEEP_ALIVE if event is None else frame(event)
    yield DONE


def frame(event: Told) -> bytes:
    data = json.dumps(event.data, ensure_ascii=False, separators=(",", ":"))
    return f"id: {event.number}\nevent: {event.name}\ndata: {data}\n\n".encode()
