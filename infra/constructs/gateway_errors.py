"""API Gateway's own errors in OpenAI's format, which the official clients can read.

The templates are not VTL: API Gateway inserts `$context` values as they are, and `messageString`
with its quotes.
https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
"""

from dataclasses import dataclass

from aws_cdk import aws_apigateway as apigateway

GATEWAY_MESSAGE = "$context.error.messageString"
# Lambda accepts 6 MB, and Base64 makes a form a third longer.
TOO_LARGE = (
    '"Your request is larger than AWS lets through, which is about 4.4 MB of a file. Send larger '
    "files in parts, with client.uploads.upload_file_chunked(..., part_size=4_000_000), or as you "
    'do now, through the upload adapter (examples/large_files)."'
)
INVALID_URL = '"Invalid URL ($context.httpMethod $context.path)"'


@dataclass(frozen=True)
class GatewayErrorResponse:
    """The response to one type of gateway error; `message` is JSON text.

    Without `status` API Gateway's default applies.
    """

    response: apigateway.ResponseType
    type: str
    message: str = GATEWAY_MESSAGE
    code: str = "null"
    status: str | None = None

    @property
    def envelope(self) -> str:
        members = f'"message": {self.message}, "type": "{self.type}"'
        return f'{{"error": {{{members}, "param": null, "code": {self.code}}}}}'


def gateway_errors() -> tuple[GatewayErrorResponse, ...]:
    kind = apigateway.ResponseType
    bad, slow_down, broken = "invalid_request_error", "rate_limit_error", "server_error"
    return (
        GatewayErrorResponse(kind.DEFAULT_4_XX, bad),
        GatewayErrorResponse(kind.DEFAULT_5_XX, broken),
        # The error of a path or method without a route.
        GatewayErrorResponse(kind.MISSING_AUTHENTICATION_TOKEN, bad, INVALID_URL, status="404"),
        GatewayErrorResponse(kind.RESOURCE_NOT_FOUND, bad, INVALID_URL, status="404"),
        GatewayErrorResponse(kind.REQUEST_TOO_LARGE, bad, TOO_LARGE, status="413"),
        GatewayErrorResponse(kind.THROTTLED, slow_down, code='"rate_limit_exceeded"', status="429"),
    )


def add_gateway_errors(gateway: apigateway.RestApi) -> None:
    for error in gateway_errors():
        gateway.add_gateway_response(
            error.response.response_type,
            type=error.response,
            status_code=error.status,
            templates={"application/json": error.envelope},
            # Any origin may read them: they contain no user data.
            response_headers={"Access-Control-Allow-Origin": "'*'"},
        )
