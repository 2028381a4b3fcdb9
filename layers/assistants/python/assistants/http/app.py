"""The ASGI application: one request in, one endpoint called, JSON or an event stream out."""

import secrets
import time
from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route as StarletteRoute
from starlette.types import Receive, Scope, Send

from assistants.domain.errors import ApiError, InvalidRequest, MethodNotAllowed, NotFound
from assistants.domain.schema import Object
from assistants.http.call import Call, Endpoint, EventStream, Reply
from assistants.http.envelope import crash, envelope
from assistants.http.routes import ROUTES
from assistants.services.backend import Backend
from assistants.telemetry import logger

_NEEDS_BETA = ("/assistants", "/threads")


def create_app(backend: Backend, *, cors_origins: tuple[str, ...] = ()) -> Starlette:
    """The whole API, for one deployment. Paths begin below `/v1`, the stage of the gateway."""
    routes: dict[str, dict[str, Endpoint]] = {}
    for route in ROUTES:
        routes.setdefault(route.path, {})[route.method] = route.endpoint
    cors = Middleware(
        CORSMiddleware,
        allow_origins=cors_origins,
        allow_methods=["GET", "POST", "DELETE"],
        allow_headers=["*"],
        expose_headers=["*"],
    )
    return Starlette(
        routes=[
            StarletteRoute(path, _serve(backend, methods), methods=None)
            for path, methods in routes.items()
        ],
        middleware=[cors] if cors_origins else [],
        exception_handlers={HTTPException: _no_such_url},
    )


def _serve(
    backend: Backend, methods: dict[str, Endpoint]
) -> Callable[[Request], Awaitable[Response]]:
    async def serve(request: Request) -> Response:
        started = time.perf_counter()
        request_id = f"req_{secrets.token_hex(16)}"
        logger.append_keys(request_id=request_id, **request.path_params)
        try:
            call = await _call(backend, request)
            reply = _endpoint(methods, request)(call)
            response = _response(reply)
            response.headers["openai-organization"] = call.project
        except ApiError as error:
            response = JSONResponse(envelope(error), status_code=error.status)
        except Exception:
            logger.exception("an endpoint crashed", extra={"path": request.url.path})
            response = JSONResponse(envelope(crash(request_id)), status_code=500)
        finally:
            logger.remove_keys(["request_id", *request.path_params])
        response.headers["x-request-id"] = request_id
        response.headers["openai-version"] = "2020-10-01"
        elapsed = (time.perf_counter() - started) * 1000
        response.headers["openai-processing-ms"] = str(max(1, round(elapsed)))
        return response

    return serve


async def _call(backend: Backend, request: Request) -> Call:
    """Raises `Unauthorized`, and `InvalidRequest` when the beta header is missing."""
    project = backend.api_keys.identify(request.headers.get("authorization"))
    if request.scope["path"].startswith(_NEEDS_BETA):
        _check_beta(request.headers.get("openai-beta", ""))
    query: dict[str, list[str]] = {}
    for name, value in request.query_params.multi_items():
        query.setdefault(name, []).append(value)
    return Call(
        backend=backend,
        project=project,
        target=f"{request.method} {request.url.path}",
        path=request.path_params,
        query=query,
        headers=request.headers,
        content=await request.body(),
    )


def _check_beta(header: str) -> None:
    if "assistants=v2" not in [value.strip() for value in header.split(",")]:
        raise InvalidRequest(
            "You must provide the 'OpenAI-Beta' header to access the Assistants API. Please try "
            "again by setting the header 'OpenAI-Beta: assistants=v2'.",
            code="invalid_beta",
        )


def _endpoint(methods: dict[str, Endpoint], request: Request) -> Endpoint:
    if (endpoint := methods.get(request.method)) is None:
        raise MethodNotAllowed(
            f"Not allowed to {request.method} on {request.url.path}.", code="method_not_supported"
        )
    return endpoint


def _response(reply: Reply) -> Response:
    if isinstance(reply, EventStream):
        return EventStreamResponse(reply)
    response = Response(reply.model_dump_json(by_alias=True), media_type="application/json")
    if isinstance(reply, Object) and reply.poll_after_ms is not None:
        response.headers["openai-poll-after-ms"] = str(reply.poll_after_ms)
    return response


class EventStreamResponse(Response):
    """Frames as they come. They are made and sent in the calling thread: a Lambda function serves
    one request at a time, and whoever waits for a frame has nothing else to do.
    """

    media_type = "text/event-stream"

    def __init__(self, stream: EventStream) -> None:
        super().__init__(headers={"cache-control": "no-store"})
        del self.headers["content-length"]
        self._stream = stream

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        await send(start)
        for frame in self._stream.frames:
            await send({"type": "http.response.body", "body": frame, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _no_such_url(request: Request, _: Exception) -> Response:
    path = request.scope["path"]
    error = NotFound(f"Invalid URL ({request.method} /v1{path})")
    return JSONResponse(envelope(error), status_code=error.status)
