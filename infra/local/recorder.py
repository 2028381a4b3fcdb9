"""Record each AWS call that reaches the endpoint, and the function that made it."""

import hashlib
import re
import threading
from base64 import b32encode
from collections import Counter, deque
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import parse_qs

from moto.core.request import Request as MotoRequest
from moto.core.routing import get_service_router
from werkzeug.exceptions import NotFound

from infra.local.http_message import HttpRequest

CREDENTIAL = re.compile(r"Credential=([^/]+)/\d+/[^/]*/([^/]+)/")
OWN_KEY = "AKIA" + "L" * 16  # of the local stack's own calls, which no function makes
KEPT = 100_000  # calls; the oldest are dropped first


class AwsCall(NamedTuple):
    """One AWS call; `service` is the name in its signature, which is its prefix in IAM."""

    function: str | None
    service: str
    operation: str


class Recorder:
    """The calls so far; a function is identified by the access key that it is given."""

    def __init__(self) -> None:
        self._functions: dict[str, str] = {}
        self._calls: deque[AwsCall] = deque(maxlen=KEPT)
        self._lock = threading.Lock()

    def access_key(self, function: str) -> str:
        """Return the access key that identifies the function with this logical id."""
        digest = hashlib.sha256(function.encode()).digest()
        key = "AKIA" + b32encode(digest).decode()[:16]
        self._functions[key] = function
        return key

    def record(self, request: HttpRequest, body: bytes) -> AwsCall:
        """Record a call, unless it is the local stack's own, whose operation stays empty."""
        credential = CREDENTIAL.search(request.headers.get("Authorization", ""))
        key, service = credential.groups() if credential else ("", "s3")  # S3 by a presigned URL
        if key == OWN_KEY:
            return AwsCall(None, service, "")
        call = AwsCall(self._functions.get(key), service, _operation(request, service, body))
        with self._lock:
            self._calls.append(call)
        return call

    def clear(self) -> None:
        with self._lock:
            self._calls.clear()

    def counts(self) -> Counter[AwsCall]:
        """Count how often each call was made."""
        return Counter(self)

    def __iter__(self) -> Iterator[AwsCall]:
        with self._lock:
            return iter(tuple(self._calls))

    def __len__(self) -> int:
        return len(self._calls)


def _operation(request: HttpRequest, service: str, body: bytes) -> str:
    if target := request.headers.get("X-Amz-Target"):
        return str(target).rpartition(".")[2]
    for query in (request.query, body[:4096].decode(errors="replace")):
        if action := parse_qs(query).get("Action"):
            return action[0]
    method, url = request.method, f"http://endpoint{request.path}?{request.query}"
    try:
        matched, _ = get_service_router(service).match(
            MotoRequest.from_primitives(method, url, request.headers)
        )
    except NotFound:
        return f"{method} {request.path}"
    return str(matched.name)
