"""Server-sent events: frames of `id`, `event` and `data`, and keep-alive comments."""

import json
from collections.abc import Iterable, Iterator

from assistants.domain.errors import ApiError
from assistants.http.envelope import envelope
from assistants.services.runs.event_stream import StreamEvent, StreamStalledError
from assistants.services.runs.streams import StreamEndedError
from assistants.telemetry import logger

DONE = b"event: done\ndata: [DONE]\n\n"
# No empty line, which would end an event: after a frame with an `id`, OpenAI's Python SDK would
# take it for an event without data, and fail.
KEEP_ALIVE = b": keep-alive\n"


def frames(events: Iterable[StreamEvent | None]) -> Iterator[bytes]:
    """Yield one frame per event, a keep-alive for None, and always `DONE` at the end: a stream
    without it was cut off.
    """
    try:
        for event in events:
            yield KEEP_ALIVE if event is None else frame(event)
    except StreamStalledError as error:
        yield _error(f"Run {error} does not answer.")
    except StreamEndedError as error:
        yield _error(str(error), code="stream_ended")
    except Exception:  # the outermost handler of a stream that has begun: it must end in an event
        logger.exception("a stream broke off")
        yield _error("The events of the run cannot be read. Please try again.")
    yield DONE


def frame(event: StreamEvent) -> bytes:
    data = json.dumps(event.data, ensure_ascii=False, separators=(",", ":"))
    return f"id: {event.number}\nevent: {event.name}\ndata: {data}\n\n".encode()


def _error(message: str, code: str | None = None) -> bytes:
    data = json.dumps(envelope(ApiError(message, code=code)))
    return f"event: error\ndata: {data}\n\n".encode()
