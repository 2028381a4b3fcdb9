"""The part of Lambda's API that invokes functions, for which moto would need Docker."""

import json
import re
import uuid
from collections.abc import Iterator
from urllib.parse import unquote

from infra.local.asynchronous import AsynchronousInvoker
from infra.local.event_stream import message
from infra.local.functions import FunctionHost, HostedFunction, TooManyRequestsError
from infra.local.http_message import HttpRequest, HttpResponse
from infra.local.invocation import FunctionError, Invocation
from infra.local.lineage import RecursiveInvocationError, sent

PATH = re.compile(
    r"/(?:2015-03-31/functions/(?P<buffered>[^/]+)/invocations"
    r"|2021-11-15/functions/(?P<streamed>[^/]+)/response-streaming-invocations)"
)
# Bytes of an event, https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
EVENT_LIMITS = {"RequestResponse": 6_291_456, "Event": 1_048_576, "DryRun": 6_291_456}
JSON = ("Content-Type", "application/json")


class LambdaApi:
    """Answer Invoke and InvokeWithResponseStream."""

    def __init__(self, functions: FunctionHost, asynchronous: AsynchronousInvoker) -> None:
        self._functions = functions
        self._asynchronous = asynchronous

    def handle(self, request: HttpRequest, body: bytes) -> HttpResponse | None:
        """Answer an invocation; return None for any other request."""
        match = PATH.fullmatch(request.path)
        if match is None:
            return None
        name = unquote(match["buffered"] or match["streamed"])
        function = self._functions.find(name)
        kind = request.headers.get("X-Amz-Invocation-Type") or "RequestResponse"
        payload, trace = body or b"{}", sent(request.headers)
        refused = _refuse(function, name, kind, payload)
        if refused or function is None or kind == "DryRun":
            return refused or HttpResponse(204)
        if kind == "Event":
            self._asynchronous.invoke(function, payload, trace)
            return HttpResponse(202)
        try:
            invocation = function.invoke(payload, trace)
        except TooManyRequestsError:
            return _error(429, "TooManyRequestsException", "Rate Exceeded.")
        except RecursiveInvocationError:
            reason = "Lambda detected your request was a recursive invocation"
            return _error(400, "RecursiveInvocationException", reason)
        return _stream(invocation) if match["streamed"] else _buffer(invocation)


def _refuse(
    function: HostedFunction | None, name: str, kind: str, payload: bytes
) -> HttpResponse | None:
    if function is None:
        return _error(404, "ResourceNotFoundException", f"Function not found: {name}")
    if kind not in EVENT_LIMITS:
        return _error(400, "InvalidParameterValueException", f"No such invocation type: {kind}")
    limit = EVENT_LIMITS[kind]
    if len(payload) > limit:
        reason = f"Request must be smaller than {limit} bytes for the InvokeFunction operation"
        return _error(413, "RequestTooLargeException", reason)
    try:
        json.loads(payload)
    except ValueError as error:
        reason = f"Could not parse request body into json: {error}"
        return _error(400, "InvalidRequestContentException", reason)
    return None


def _error(status: int, error: str, reason: str) -> HttpResponse:
    body = json.dumps({"Type": "User", "Message": reason, "message": reason}).encode()
    headers = [JSON, ("X-Amzn-RequestId", str(uuid.uuid4())), ("X-Amzn-ErrorType", error)]
    return HttpResponse(status, headers, body)


def _buffer(invocation: Invocation) -> HttpResponse:
    headers = [
        JSON,
        ("X-Amzn-RequestId", invocation.request_id),
        ("X-Amz-Executed-Version", "$LATEST"),
    ]
    try:
        return HttpResponse(200, headers, invocation.response())
    except FunctionError as error:
        return HttpResponse(200, [*headers, ("X-Amz-Function-Error", "Unhandled")], error.payload)


def _stream(invocation: Invocation) -> HttpResponse:
    headers = [
        ("Content-Type", "application/vnd.amazon.eventstream"),
        ("X-Amzn-RequestId", invocation.request_id),
        ("X-Amz-Executed-Version", "$LATEST"),
    ]
    return HttpResponse(200, headers, _events(invocation))


def _events(invocation: Invocation) -> Iterator[bytes]:
    complete: dict[str, str] = {}
    try:
        for chunk in invocation.chunks():
            yield message("PayloadChunk", "application/octet-stream", chunk)
    except FunctionError as error:
        details = json.loads(error.payload)
        complete = {"ErrorCode": details["errorType"], "ErrorDetails": details["errorMessage"]}
    finally:
        invocation.abandon()
    yield message("InvokeComplete", "application/json", json.dumps(complete).encode())
