"""The Lambda Runtime API of one worker, from which AWS's runtime client takes its work.

The streaming mode is not documented; it is read off AWS's own clients (aws-lambda-go,
aws-lambda-nodejs-runtime-interface-client).
https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

import base64
from dataclasses import dataclass
from typing import Protocol

from infra.local.http_message import BodyTooLargeError, HttpRequest, HttpResponse
from infra.local.invocation import FunctionError, Invocation

RESPONSE_LIMIT = 6_291_556  # bytes of a buffered response; 6 MB and what Lambda adds
PREFIX = "/2018-06-01/runtime/"
ACCEPTED = HttpResponse(202, [("Content-Type", "application/json")], b'{"status":"OK"}')
TOO_LARGE = FunctionError.of(
    "Function.ResponseSizeTooLarge",
    f"Response payload size exceeded maximum allowed payload size ({RESPONSE_LIMIT} bytes).",
)


@dataclass(frozen=True)
class Delivery:
    """An invocation as the runtime receives it, with its deadline in epoch milliseconds."""

    invocation: Invocation
    deadline_ms: int
    function_arn: str


class Runner(Protocol):
    """The worker that a Runtime API serves."""

    def next(self) -> Delivery | None:
        """Wait for an invocation; return None if the worker must end."""

    def current(self, request_id: str) -> Invocation | None:
        """Return the current invocation, if `request_id` is its id."""

    def finish(self, error: FunctionError | None = None) -> None:
        """End the current invocation, and free the worker."""

    def init_failed(self, error: FunctionError) -> None:
        """Note that the handler could not be loaded."""


class RuntimeApi:
    """Answer one worker's requests."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    def handle(self, request: HttpRequest) -> HttpResponse:
        match request.path.removeprefix(PREFIX).split("/"):
            case ["invocation", "next"]:
                return self._next()
            case ["invocation", request_id, "response" | "error" as ending]:
                return self._end(request, request_id, ending)
            case ["init", "error"]:
                self._runner.init_failed(FunctionError(request.body.read()))
                return ACCEPTED
        return HttpResponse(404)

    def _next(self) -> HttpResponse:
        delivery = self._runner.next()
        if delivery is None:
            raise ConnectionAbortedError("the worker is to end")
        headers = [
            ("Content-Type", "application/json"),
            ("Lambda-Runtime-Aws-Request-Id", delivery.invocation.request_id),
            ("Lambda-Runtime-Deadline-Ms", str(delivery.deadline_ms)),
            ("Lambda-Runtime-Invoked-Function-Arn", delivery.function_arn),
            ("Lambda-Runtime-Trace-Id", delivery.invocation.trace),
        ]
        return HttpResponse(200, headers, delivery.invocation.payload)

    def _end(self, request: HttpRequest, request_id: str, ending: str) -> HttpResponse:
        invocation = self._runner.current(request_id)
        if invocation is None:
            return HttpResponse(400, body=b'{"errorType":"InvalidRequestID"}')
        if ending == "response":
            return self._respond(request, invocation)
        self._runner.finish(FunctionError(request.body.read()))
        return ACCEPTED

    def _respond(self, request: HttpRequest, invocation: Invocation) -> HttpResponse:
        if request.headers.get("Lambda-Runtime-Function-Response-Mode") == "streaming":
            for chunk in request.body.chunks():
                invocation.write(chunk)
            self._runner.finish(_trailing_error(request.body.trailers))
            return ACCEPTED
        try:
            invocation.write(request.body.read(RESPONSE_LIMIT))
        except BodyTooLargeError:
            self._runner.finish(TOO_LARGE)
            return HttpResponse(413, body=b'{"errorType":"RequestEntityTooLarge"}')
        self._runner.finish()
        return ACCEPTED


def _trailing_error(trailers: dict[str, str]) -> FunctionError | None:
    body = trailers.get("lambda-runtime-function-error-body")
    return FunctionError(base64.b64decode(body)) if body else None
