"""The error envelope."""

from typing import Any

from assistants.domain.errors import ApiError


def envelope(error: ApiError) -> dict[str, Any]:
    return {
        "error": {
            "message": error.message,
            "type": error.type,
            "param": error.param,
            "code": error.code,
        }
    }


def crash(request_id: str) -> ApiError:
    """Return the error that a client receives for an internal one."""
    return ApiError(
        "The server had an error processing your request. Sorry about that! You can retry your "
        f"request. (Please include the request ID {request_id} in your report.)"
    )
