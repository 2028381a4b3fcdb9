"""API Gateway's own error responses, in the wording of the template.

https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
"""

import json
import re
from enum import Enum

from infra.local.http_message import HttpRequest, HttpResponse
from infra.local.rest_api import GatewayResponse, RestApiDefinition

VARIABLE = re.compile(r"\$context\.([A-Za-z.]+)")
UNDECLARED = GatewayResponse(None, {}, '{"message":$context.error.messageString}')


class GatewayError(Enum):
    """An error: response type, default status, and the message that a template can quote."""

    NO_ROUTE = ("MISSING_AUTHENTICATION_TOKEN", 403, "Missing Authentication Token")
    TOO_LARGE = ("REQUEST_TOO_LARGE", 413, "Request Too Long")
    TIMEOUT = ("INTEGRATION_TIMEOUT", 504, "Endpoint request timed out")
    REFUSED = ("DEFAULT_5XX", 500, "Internal server error")
    FAILED = ("DEFAULT_5XX", 502, "Internal server error")


def render(
    api: RestApiDefinition, error: GatewayError, request: HttpRequest, path: str
) -> HttpResponse:
    """Return the response to a request for `path`, which excludes the stage."""
    kind, status, message = error.value
    default = f"DEFAULT_{status // 100}XX"
    responses = api.gateway_responses
    declared = responses.get(kind) or responses.get(default) or UNDECLARED
    context = {
        "error.message": message,
        "error.messageString": json.dumps(message),
        "error.responseType": kind,
        "httpMethod": request.method,
        "path": f"/{api.stage}{path}",
    }
    template = declared.template or str(UNDECLARED.template)
    body = VARIABLE.sub(lambda name: context.get(name[1], ""), template)
    headers = [("Content-Type", "application/json"), *declared.headers.items()]
    return HttpResponse(declared.status or status, headers, body.encode())
