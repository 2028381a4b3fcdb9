"""The runtime loop of a function that streams its response.

AWS's runtime client for Python only buffers responses; this loop replaces it on the same managed
runtime. It uses the Lambda Runtime API's streaming mode (`Transfer-Encoding: chunked`, errors in
trailers) and API Gateway's format: status and headers as JSON, eight NUL bytes, then the body.

The handler is called with the event, a `ChunkedResponse` and a `Context`.
"""

import base64
import http.client
import importlib
import json
import os
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from typing import Any

Handler = Callable[[Any, "ChunkedResponse", "Context"], object]
RUNTIME = "/2018-06-01/runtime"


class ClientGoneError(ConnectionError):
    """Raised by `write` and `end` when nobody reads the response any more."""


class NoResponseError(RuntimeError):
    """Raised when a handler returns without a response; reported to Lambda."""


class Context:
    """The context of an invocation, with the names of AWS's own runtime."""

    def __init__(self, headers: http.client.HTTPMessage) -> None:
        self.aws_request_id = headers["Lambda-Runtime-Aws-Request-Id"]
        self.invoked_function_arn = headers["Lambda-Runtime-Invoked-Function-Arn"]
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self._deadline_ms = int(headers["Lambda-Runtime-Deadline-Ms"])

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds until Lambda ends this invocation; never negative."""
        return max(0, self._deadline_ms - int(time.time() * 1000))


class ChunkedResponse:
    """One response: call `begin` once, then `write` for each chunk, which is sent at once."""

    def __init__(self, api: str, request_id: str) -> None:
        self.begun = False
        self._connection = http.client.HTTPConnection(api)
        self._path = f"{RUNTIME}/invocation/{request_id}/response"

    def begin(self, status: int, headers: Sequence[tuple[str, str]]) -> None:
        """Send the status and the headers. A repeated header keeps all of its values.

        The format is API Gateway's "Lambda proxy integration format for response streaming".
        """
        values: dict[str, list[str]] = {}
        for name, value in headers:
            values.setdefault(name.lower(), []).append(value)
        prelude = {
            "statusCode": status,
            "headers": {name: value[0] for name, value in values.items() if len(value) == 1},
            "multiValueHeaders": {name: value for name, value in values.items() if len(value) > 1},
        }
        self._connection.putrequest("POST", self._path)
        self._connection.putheader("Lambda-Runtime-Function-Response-Mode", "streaming")
        self._connection.putheader("Transfer-Encoding", "chunked")
        self._connection.putheader(
            "Content-Type", "application/vnd.awslambda.http-integration-response"
        )
        self._connection.putheader(
            "Trailer", "Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body"
        )
        self._connection.endheaders()
        self.begun = True
        self.write(json.dumps(prelude).encode() + bytes(8))

    def write(self, chunk: bytes) -> None:
        """Send one chunk at once. Raises `ClientGoneError`."""
        if chunk:  # an empty chunk would end the body
            self._send(b"%x\r\n%b\r\n" % (len(chunk), chunk))

    def end(self, error: BaseException | None = None) -> None:
        """End the body; an error goes into its trailers. Raises `ClientGoneError`."""
        trailers = b""
        if error is not None:
            body = base64.b64encode(json.dumps(describe(error)).encode())
            trailers = (
                b"Lambda-Runtime-Function-Error-Type: %b\r\n"
                b"Lambda-Runtime-Function-Error-Body: %b\r\n"
            ) % (type(error).__name__.encode(), body)
        self._send(b"0\r\n%b\r\n" % trailers)
        try:
            self._connection.getresponse().read()
        except (OSError, http.client.HTTPException) as gone:
            raise ClientGoneError("the response was cut off") from gone

    def close(self) -> None:
        self._connection.close()

    def _send(self, data: bytes) -> None:
        try:
            self._connection.send(data)
        except OSError as error:
            raise ClientGoneError("the response is no longer read") from error


def describe(error: BaseException) -> dict[str, object]:
    """Return an error in Lambda's format."""
    return {
        "errorType": type(error).__name__,
        "errorMessage": str(error),
        "stackTrace": traceback.format_tb(error.__traceback__),
    }


def report(api: str, path: str, error: BaseException) -> None:
    """Report an error of the initialization, or of an invocation before its response."""
    connection = http.client.HTTPConnection(api)
    headers = {"Lambda-Runtime-Function-Error-Type": type(error).__name__}
    connection.request("POST", RUNTIME + path, json.dumps(describe(error)), headers)
    connection.getresponse().read()
    connection.close()


def load_handler() -> Handler:
    """Import `_HANDLER` ("module.function") from the function's code and its layers."""
    sys.path[0:1] = [os.environ["LAMBDA_TASK_ROOT"], "/opt/python"]
    module, _, name = os.environ["_HANDLER"].rpartition(".")
    handler: Handler = getattr(importlib.import_module(module), name)
    return handler


def answer(handler: Handler, api: str, headers: http.client.HTTPMessage, event: object) -> None:
    """Run one invocation; report any error of the handler to Lambda."""
    context = Context(headers)
    stream = ChunkedResponse(api, context.aws_request_id)
    try:
        failure = attempt(handler, event, stream, context)
        if failure and not stream.begun:
            report(api, f"/invocation/{context.aws_request_id}/error", failure)
        else:
            stream.end(failure)
    except ClientGoneError as gone:
        print(f"RequestId: {context.aws_request_id} {gone}")
    finally:
        stream.close()


def attempt(
    handler: Handler, event: object, stream: ChunkedResponse, context: Context
) -> Exception | None:
    """Call the handler; return its error, or None. Raises `ClientGoneError`."""
    try:
        handler(event, stream, context)
    except ClientGoneError:
        raise
    except Exception as error:  # the outermost handler: the error belongs to the invocation
        traceback.print_exception(error)
        return error
    return None if stream.begun else NoResponseError("the handler began no response")


def main() -> None:
    api = os.environ["AWS_LAMBDA_RUNTIME_API"]
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    try:
        handler = load_handler()
    except Exception as error:  # the outermost handler: an import may raise anything
        traceback.print_exception(error)
        report(api, "/init/error", error)
        sys.exit(1)
    connection = http.client.HTTPConnection(api)
    while True:
        connection.request("GET", f"{RUNTIME}/invocation/next")
        response = connection.getresponse()
        event = json.loads(response.read())
        if trace := response.headers["Lambda-Runtime-Trace-Id"]:
            os.environ["_X_AMZN_TRACE_ID"] = trace
        answer(handler, api, response.headers, event)


if __name__ == "__main__":
    main()
