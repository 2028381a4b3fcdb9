"""Server-sent events: frames of `id`, `event` and `data`, and comments that keep the line open."""

import json
from collections.abc import Iterable, Iterator

from assistants.domain.errors import ApiError
from assistants.http.envelope import envelope
from assistants.services.relay import Stalled, Told

DONE = b"event: done\ndata: [DONE]\n\n"
KEEP_ALIVE = b": keep-alive\n\n"


def frames(told: Iterable[Told | None]) -> Iterator[bytes]:
    """One frame per event, and the last one always: a stream that ends without it was cut off."""
    try:
        for event in told:
            yield KEEP_ALIVE if event is None else frame(event)
    except Stalled as error:
        problem = envelope(ApiError(f"Run {error} does not answer."))
        yield f"event: error\ndata: {json.dumps(problem)}\n\n".encode()
    yield DONE


def frame(event: Told) -> bytes:
    data = json.dumps(event.data, ensure_ascii=False, separators=(",", ":"))
    return f"id: {event.number}\nevent: {event.name}\ndata: {data}\n\n".encode()
