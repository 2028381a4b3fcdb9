"""Server-sent events: frames of `id`, `event` and `data`, and comments that keep the line open."""

import json
from collections.abc import Iterable, Iterator

from assistants.domain.errors import ApiError
from assistants.http.envelope import envelope
from assistants.services.runs.event_stream import StreamEvent, StreamStalledError
from assistants.services.runs.streams import StreamEndedError
from assistants.telemetry import logger

DONE = b"event: done\ndata: [DONE]\n\n"
# Without an empty line, which would end an event: OpenAI's Python SDK reads one behind an `id` as
# an event without data, and breaks.
KEEP_ALIVE = b": keep-alive\n"


def frames(told: Iterable[StreamEvent | None]) -> Iterator[bytes]:
    """One frame per event, and the last one always: a stream that ends without it was cut off."""
    try:
        for event in told:
            yield KEEP_ALIVE if event is None else frame(event)
    except StreamStalledError as error:
        yield _error(f"Run {error} does not answer.")
    except StreamEndedError as error:
        yield _error(str(error), code="stream_ended")
    except Exception:  # the outer edge of a stream that has begun: it must end in words
        logger.exception("a stream broke off")
        yield _error("The events of the run cannot be read. Please try again.")
    yield DONE


def frame(event: StreamEvent) -> bytes:
    data = json.dumps(event.data, ensure_ascii=False, separators=(",", ":"))
    return f"id: {event.number}\nevent: {event.name}\ndata: {data}\n\n".encode()


def _error(message: str, code: str | None = None) -> bytes:
    data = json.dumps(envelope(ApiError(message, code=code)))
    return f"event: error\ndata: {data}\n\n".encode()
