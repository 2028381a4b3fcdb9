"""Serve a REST API as API Gateway does: routing, limits, proxy events, streams."""

import json
import time
from collections.abc import Iterator

from infra.local import gateway_errors
from infra.local.functions import FunctionHost, TooManyRequestsError
from infra.local.gateway_errors import GatewayError
from infra.local.http_message import BodyTooLargeError, HttpRequest, HttpResponse
from infra.local.http_server import HttpServer
from infra.local.invocation import FunctionError, Invocation
from infra.local.proxy_event import MalformedResponseError, build_event, read_headers, read_response
from infra.local.rest_api import Match, RestApiDefinition

BODY_LIMIT = 10_485_760
EVENT_LIMIT = 6_291_456
PRELUDE_LIMIT = 16_384
SILENCE_SECONDS = 300  # after which a regional endpoint cuts a stream
DELIMITER = bytes(8)


class PublicApi:
    """The API at `/<stage>`, and also at `/` and `/api/<stage>`, where some clients expect it."""

    def __init__(
        self, api: RestApiDefinition, functions: FunctionHost, account: str, host: str, port: int
    ) -> None:
        self._api = api
        self._functions = functions
        self._account = account
        self._server = HttpServer(self._handle, host, port)
        self.base_url = f"http://{host}:{self._server.port}/{api.stage}"

    def close(self) -> None:
        self._server.close()

    def _handle(self, request: HttpRequest) -> HttpResponse:
        path = self._without_stage(request.path)
        try:
            body = request.body.read(BODY_LIMIT)
        except BodyTooLargeError:  # in AWS's own words, which no template changes
            text = f"HTTP content length exceeded {BODY_LIMIT} bytes."
            return HttpResponse(413, [("Content-Type", "text/plain")], text.encode())
        match = self._api.match(request.method, path)
        if match is None:
            return self._error(GatewayError.NO_ROUTE, request, path)
        event = build_event(self._api, match, request, path, body, self._account)
        payload = json.dumps(event).encode()
        if len(payload) > EVENT_LIMIT:
            return self._error(GatewayError.TOO_LARGE, request, path)
        return self._integrate(match, request, path, payload)

    def _integrate(
        self, match: Match, request: HttpRequest, path: str, payload: bytes
    ) -> HttpResponse:
        integration = match.integration
        deadline = time.monotonic() + integration.timeout_seconds
        try:
            invocation = self._functions[integration.function].invoke(payload)
        except TooManyRequestsError:
            return self._error(GatewayError.REFUSED, request, path)
        try:
            if integration.streams:
                return _stream(invocation, deadline)
            return read_response(self._api, request, invocation.response(deadline))
        except TimeoutError:
            invocation.abandon()
            return self._error(GatewayError.TIMEOUT, request, path)
        except (FunctionError, MalformedResponseError):
            invocation.abandon()
            return self._error(GatewayError.FAILED, request, path)

    def _without_stage(self, path: str) -> str:
        for prefix in (f"/{self._api.stage}", f"/api/{self._api.stage}"):
            if path == prefix or path.startswith(prefix + "/"):
                return path.removeprefix(prefix) or "/"
        return path

    def _error(self, error: GatewayError, request: HttpRequest, path: str) -> HttpResponse:
        return gateway_errors.render(self._api, error, request, path)


def _stream(invocation: Invocation, deadline: float) -> HttpResponse:
    """Return a response as soon as the function has sent its status and headers."""
    chunks = invocation.chunks(deadline, SILENCE_SECONDS)
    head = b""
    for chunk in chunks:
        head += chunk
        if DELIMITER in head or len(head) > PRELUDE_LIMIT:
            break
    prelude, delimiter, first = head.partition(DELIMITER)
    try:
        answer = json.loads(prelude if delimiter else b"")
        response = HttpResponse(int(answer["statusCode"]), read_headers(answer))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise MalformedResponseError(head[:200]) from error
    response.body = _relay(invocation, first, chunks)
    return response


def _relay(invocation: Invocation, first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    try:
        if first:
            yield first
        yield from rest
    except (FunctionError, TimeoutError) as error:
        raise ConnectionAbortedError("the stream broke off") from error
    finally:
        invocation.abandon()
