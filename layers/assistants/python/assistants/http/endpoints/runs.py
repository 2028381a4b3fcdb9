"""/v1/threads/{thread_id}/runs and /v1/threads/runs"""

from assistants.domain.errors import InvalidRequestError
from assistants.domain.ids import RUN
from assistants.domain.page import Cursor, Page
from assistants.domain.run import Run, RunCreate, RunModify, ThreadRunCreate, ToolOutputsSubmit
from assistants.domain.run_step import Include
from assistants.domain.schema import Request
from assistants.http.call import Call, EventStream
from assistants.http.events import frames


class RunQuery(Request):
    include: Include = []


def create(call: Call, body: RunCreate, query: RunQuery) -> Run | EventStream:
    run = call.backend.runs.service.create(call.project, call.thread_id, body, call.new_id(RUN))
    return _follow(call, run, include=query.include) if body.stream else run


def create_with_thread(call: Call, body: ThreadRunCreate) -> Run | EventStream:
    run = call.backend.runs.service.create_with_thread(call.project, body, call.new_id(RUN))
    return _follow(call, run) if body.stream else run


def list_(call: Call, query: Cursor) -> Page[Run]:
    return call.backend.runs.service.list(call.project, call.thread_id, query)


def get(call: Call) -> Run:
    return call.backend.runs.service.get(call.run)


def modify(call: Call, body: RunModify) -> Run:
    return call.backend.runs.service.modify(call.run, body)


def cancel(call: Call) -> Run:
    return call.backend.runs.cancellation.cancel(call.run)


def submit_tool_outputs(call: Call, body: ToolOutputsSubmit) -> Run | EventStream:
    submitted = call.backend.runs.tool_outputs.submit(call.run, body)
    return _follow(call, submitted.run, submitted.after) if body.stream else submitted.run


def events(call: Call, query: RunQuery) -> EventStream:
    """Stream the events of a run, also of one that was created without `stream`.

    With `Last-Event-ID`, continue after the last frame that the client has seen.
    """
    run = call.backend.runs.service.get(call.run)
    last_event = call.headers.get("last-event-id", "0")
    if not last_event.isdecimal():
        message = f"Invalid 'Last-Event-ID': '{last_event}'. Expected an integer."
        raise InvalidRequestError(message, param="Last-Event-ID", code="invalid_value")
    stream = call.backend.runs.event_stream.resume(
        call.project, run, last_event=int(last_event), include=query.include
    )
    return EventStream(frames(stream))


def _follow(call: Call, run: Run, after: int = -1, include: Include | None = None) -> EventStream:
    stream = call.backend.runs.event_stream.follow(
        call.project, run, after=after, include=include or []
    )
    return EventStream(frames(stream))
