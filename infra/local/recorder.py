"""Records each AWS call that passes the endpoint, and which function made it."""

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
OWN_KEY = "AKIA" + "L" * 16  # calls of the local stack itself, which are nobody's


KEPT = 100_000  # calls; the oldest are forgotten first


class AwsCall(NamedTuple):
    """One AWS call; `service` is the name in its signature, which is its prefix in IAM."""

    function: str | None
    service: str
    operation: str


class Recorder:
    """The calls so far. The caller is known by the access key that each function gets."""

    def __init__(self) -> None:
        self._functions: dict[str, str] = {}
        self._calls: deque[AwsCall] = deque(maxlen=KEPT)
        self._lock = threading.Lock()

    def access_key(self, function: str) -> str:
        """The key by which the calls of the function with this logical id are told apart."""
        digest = hashlib.sha256(function.encode()).digest()
        key = "AKIA" + b32encode(digest).decode()[:16]
        self._functions[key] = function
        return key

    def record(self, request: HttpRequest, body: bytes) -> AwsCall:
        """Note the call. The local stack's own are not kept, nor is their operation looked up."""
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
        """How often each call was made."""
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
