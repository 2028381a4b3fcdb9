"""The event and the response of API Gateway's Lambda proxy integration (REST API, format 1.0).

https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
"""

import base64
import json
import time
import uuid
from collections.abc import Iterable, Mapping
from email.message import Message
from typing import Any
from urllib.parse import parse_qsl, unquote

from infra.local.http_message import HttpRequest, HttpResponse
from infra.local.rest_api import Match, RestApiDefinition

# These describe the connection to the function, not the one to the client.
HOP_BY_HOP = frozenset({"connection", "content-length", "transfer-encoding", "keep-alive"})


class MalformedResponseError(Exception):
    """Raised when API Gateway would not accept a function's response."""


def build_event(
    api: RestApiDefinition, match: Match, request: HttpRequest, path: str, body: bytes, account: str
) -> dict[str, Any]:
    """Build the event for a request; `path` excludes the stage."""
    binary = _is_binary(api, [request.headers.get("Content-Type", "")])
    queries = _group(parse_qsl(request.query, keep_blank_values=True))
    headers = _group(request.headers.items())
    headers.setdefault("X-Forwarded-For", [request.client])
    parameters = {name: unquote(value) for name, value in match.parameters.items()}
    text = base64.b64encode(body).decode() if binary else body.decode(errors="replace")
    return {
        "resource": match.node.path,
        "path": path,
        "httpMethod": request.method,
        "headers": _last(headers),
        "multiValueHeaders": headers,
        "queryStringParameters": _last(queries) or None,
        "multiValueQueryStringParameters": queries or None,
        "pathParameters": parameters or None,
        "stageVariables": None,
        "requestContext": _context(api, match, request, path, account),
        "body": text if body else None,
        "isBase64Encoded": binary and bool(body),
    }


def _context(
    api: RestApiDefinition, match: Match, request: HttpRequest, path: str, account: str
) -> dict[str, Any]:
    now = time.time()
    request_id = str(uuid.uuid4())
    return {
        "accountId": account,
        "apiId": "local",
        "domainName": request.headers.get("Host", ""),
        "extendedRequestId": request_id,
        "httpMethod": request.method,
        "identity": {
            "sourceIp": request.client,
            "userAgent": request.headers.get("User-Agent"),
        },
        "path": f"/{api.stage}{path}",
        "protocol": "HTTP/1.1",
        "requestId": request_id,
        "requestTime": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(now)),
        "requestTimeEpoch": int(now * 1000),
        "resourceId": match.node.resource_id,
        "resourcePath": match.node.path,
        "stage": api.stage,
    }


def read_response(api: RestApiDefinition, request: HttpRequest, payload: bytes) -> HttpResponse:
    """Convert the function's whole response. Raises `MalformedResponseError`."""
    try:
        answer = json.loads(payload)
        headers = read_headers(answer)
        body = answer.get("body") or ""
        if answer.get("isBase64Encoded") and _is_binary(api, _media_types(request, headers)):
            return HttpResponse(int(answer["statusCode"]), headers, base64.b64decode(body))
        return HttpResponse(int(answer["statusCode"]), headers, body.encode())
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise MalformedResponseError(payload[:200]) from error


def read_headers(answer: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the headers of a response; `multiValueHeaders` override `headers`."""
    many = answer.get("multiValueHeaders") or {}
    headers = [(name, str(value)) for name, values in many.items() for value in values]
    known = {name.lower() for name in many}
    for name, value in (answer.get("headers") or {}).items():
        if name.lower() not in known:
            headers.append((name, str(value)))
    headers += [("Set-Cookie", cookie) for cookie in answer.get("cookies") or []]
    return [header for header in headers if header[0].lower() not in HOP_BY_HOP]


def _media_types(request: HttpRequest, headers: Iterable[tuple[str, str]]) -> list[str]:
    """Return the types that make a response binary: the first one accepted, and its own."""
    accepted = _first(request.headers, "Accept").split(",")[0]
    return [accepted, *(value for name, value in headers if name.lower() == "content-type")]


def _is_binary(api: RestApiDefinition, media_types: Iterable[str]) -> bool:
    names = {media_type.partition(";")[0].strip().lower() for media_type in media_types}
    return "*/*" in api.binary_media_types or bool(names & api.binary_media_types)


def _first(headers: Message, name: str) -> str:
    return str(headers.get(name, ""))


def _group(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for name, value in pairs:
        groups.setdefault(name, []).append(value)
    return groups


def _last(groups: Mapping[str, list[str]]) -> dict[str, str]:
    return {name: values[-1] for name, values in groups.items()}
