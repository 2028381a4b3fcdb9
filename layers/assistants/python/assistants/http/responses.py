"""HTTP responses: JSON, error envelopes, streams and redirects, with OpenAI's headers."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from assistants.domain.errors import ApiError
from assistants.domain.file import content_disposition
from assistants.domain.ids import ProjectId, new_order
from assistants.domain.schema import Object
from assistants.http.call import Download, EventStream, Redirect, Reply
from assistants.http.envelope import envelope


@dataclass(frozen=True)
class Exchange:
    """One request and its response; measures the time between them."""

    id: str = field(default_factory=lambda: f"req_{new_order()}")
    started: float = field(default_factory=time.perf_counter)

    def answer(self, reply: Reply, project: ProjectId) -> Response:
        response = _response(reply)
        response.headers["openai-organization"] = project
        return self._with_headers(response)

    def refuse(self, error: ApiError) -> Response:
        return self._with_headers(JSONResponse(envelope(error), status_code=error.status))

    def _with_headers(self, response: Response) -> Response:
        elapsed_ms = (time.perf_counter() - self.started) * 1000
        response.headers["x-request-id"] = self.id
        response.headers["openai-version"] = "2020-10-01"
        response.headers["openai-processing-ms"] = str(max(1, round(elapsed_ms)))
        return response


def _response(reply: Reply) -> Response:
    match reply:
        case EventStream(frames):
            return PiecewiseResponse(frames, "text/event-stream; charset=utf-8")
        case Download(filename, mime_type, pieces):
            response = PiecewiseResponse(pieces, mime_type)
            response.headers["content-disposition"] = content_disposition(filename)
            response.headers["x-content-type-options"] = "nosniff"
            return response
        case Redirect(url):
            return RedirectResponse(url, status_code=302, headers={"cache-control": "no-store"})
        case Object():
            return _json(reply)
        case _:
            return JSONResponse(reply)


def _json(reply: Object) -> Response:
    response = Response(reply.model_dump_json(), media_type="application/json")
    if reply.poll_after_ms is not None:
        response.headers["openai-poll-after-ms"] = str(reply.poll_after_ms)
    return response


class PiecewiseResponse(Response):
    """Send each piece at once.

    Pieces are produced in the calling thread, which blocks the event loop: a Lambda function serves
    one request at a time.
    """

    def __init__(self, pieces: Iterator[bytes], content_type: str) -> None:
        super().__init__(headers={"cache-control": "no-store", "content-type": content_type})
        del self.headers["content-length"]
        self._pieces = pieces

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        await send(start)
        for piece in self._pieces:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})
