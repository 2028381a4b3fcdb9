"""The ASGI application: calls one endpoint per request, and sends JSON or an event stream."""

from contextlib import closing

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route as StarletteRoute
from starlette.types import Receive, Scope, Send

from assistants.domain.errors import (
    ApiError,
    InvalidRequestError,
    MethodNotAllowedError,
    NotFoundError,
)
from assistants.domain.ids import ProjectId
from assistants.http.call import Call
from assistants.http.declaration import Declaration
from assistants.http.envelope import crash
from assistants.http.multipart import MultipartForm, read_form
from assistants.http.responses import Exchange
from assistants.http.route import Route
from assistants.http.routes import ROUTES
from assistants.services.backend import Backend
from assistants.telemetry import logger

_NEEDS_BETA = ("/assistants", "/threads")


def create_app(backend: Backend, *, cors_origins: tuple[str, ...] = ()) -> Starlette:
    """Return the API of one deployment. Paths lack `/v1`, which is the stage of the gateway."""
    paths: dict[str, list[Route]] = {}
    for route in ROUTES:
        paths.setdefault(route.path, []).append(route)
    cors = Middleware(
        CORSMiddleware,
        allow_origins=cors_origins,
        allow_methods=["GET", "POST", "DELETE"],
        allow_headers=["*"],
        expose_headers=["*"],
    )
    app = Starlette(
        routes=[StarletteRoute(path, Resource(backend, routes)) for path, routes in paths.items()],
        middleware=[cors] if cors_origins else [],
        exception_handlers={HTTPException: _no_such_url},
    )
    app.router.redirect_slashes = False  # a redirect would lose the stage
    return app


class Resource:
    """One path and the endpoints of its methods. An ASGI application, because Starlette's `Route`
    would answer methods without an endpoint itself, without the API's error envelope.
    """

    def __init__(self, backend: Backend, routes: list[Route]) -> None:
        self._backend = backend
        self._routes = {route.method: route for route in routes}
        self._declarations = {
            route.method: Declaration.from_endpoint(route.endpoint) for route in routes
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self._serve(Request(scope, receive))
        await response(scope, receive, send)

    async def _serve(self, request: Request) -> Response:
        exchange = Exchange()
        logger.append_keys(request_id=exchange.id, **request.path_params)
        try:
            call = await self._call(request)
            with closing(call.form or MultipartForm()):
                reply = self._declarations[request.method].answer_to(call)
            return exchange.answer(reply, call.project)
        except ApiError as error:
            return exchange.refuse(error)
        except Exception:  # the outermost handler: clients must not see an internal error
            logger.exception("an endpoint crashed", extra={"path": request.url.path})
            return exchange.refuse(crash(exchange.id))
        finally:
            logger.remove_keys(["request_id", *request.path_params])

    async def _call(self, request: Request) -> Call:
        """Authenticate the request and read its body.

        Raises `MethodNotAllowedError`, `AuthenticationError`, or `InvalidRequestError` for the beta
        header or a malformed form.
        """
        method, path = request.method, request.scope["path"]
        if (route := self._routes.get(method)) is None:
            message = f"Not allowed to {method} on /v1{path}."
            raise MethodNotAllowedError(message, code="method_not_supported")
        project = ProjectId("")
        if not route.public:
            project = self._backend.api_keys.identify(request.headers.get("authorization"))
        if path.startswith(_NEEDS_BETA):
            _check_beta(request.headers.get("openai-beta", ""))
        query: dict[str, list[str]] = {}
        for name, value in request.query_params.multi_items():
            query.setdefault(name, []).append(value)
        form = self._declarations[method].form
        kind = request.headers.get("content-type", "")
        return Call(
            backend=self._backend,
            project=project,
            target=f"{method} {path}",
            path=request.path_params,
            query=query,
            headers=request.headers,
            content=b"" if form else await request.body(),
            form=await read_form(kind, request.stream(), form.max_bytes) if form else None,
        )


def _check_beta(header: str) -> None:
    if "assistants=v2" not in [value.strip() for value in header.split(",")]:
        raise InvalidRequestError(
            "You must provide the 'OpenAI-Beta' header to access the Assistants API. Please try "
            "again by setting the header 'OpenAI-Beta: assistants=v2'.",
            code="invalid_beta",
        )


async def _no_such_url(request: Request, _: Exception) -> Response:
    message = f"Invalid URL ({request.method} /v1{request.scope['path']})"
    return Exchange().refuse(NotFoundError(message))
