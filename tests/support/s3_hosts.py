"""S3's hosts as they answer for a bucket made a second ago, which no emulator plays.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingRouting.html
"""

import hashlib
import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import parse_qsl, quote, unquote

import pytest
import urllib3.util.connection

from infra.local.http_message import HttpRequest, HttpResponse
from infra.local.http_server import HttpServer

SECRET = "sesame"
GLOBAL_HOST_REFUSES = {"ap-southeast-3", "eu-south-1", "il-central-1"}  # opened after March 2019


class S3Hosts:
    """One bucket in `region`, at its own host and at the global one, by presigned URLs."""

    def __init__(self, region: str, bucket: str) -> None:
        self.objects: dict[str, bytes] = {}
        self._region = region
        self._global_host = f"{bucket}.s3.amazonaws.com"
        self._own_host = f"{bucket}.s3.{region}.amazonaws.com"

    def handle(self, request: HttpRequest) -> HttpResponse:
        body = request.body.read()
        host = request.headers["Host"]
        if host == self._global_host and self._region != "us-east-1":
            return self._answer_globally(request)
        if host not in (self._own_host, self._global_host):
            return _refusal(404, "NoSuchBucket")
        if not _signature_matches(request, self._region):
            return _refusal(403, "SignatureDoesNotMatch")
        if request.method == "PUT":
            self.objects[request.path] = body
            return HttpResponse(200)
        found = self.objects.get(request.path)
        return _refusal(404, "NoSuchKey") if found is None else HttpResponse(200, body=found)

    def _answer_globally(self, request: HttpRequest) -> HttpResponse:
        if self._region in GLOBAL_HOST_REFUSES:
            return _refusal(400, "IllegalLocationConstraintException")
        location = f"http://{self._own_host}{request.path}?{request.query}"
        return _refusal(307, "TemporaryRedirect", ("Location", location))


@contextmanager
def s3_hosts(region: str, bucket: str) -> Iterator[S3Hosts]:
    """Lead every connection of urllib3 to these hosts, whatever address it asks for."""
    hosts = S3Hosts(region, bucket)
    server = HttpServer(hosts.handle)
    connect = urllib3.util.connection.create_connection
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            urllib3.util.connection,
            "create_connection",
            lambda _address, *rest, **options: connect(
                (server.host, server.port), *rest, **options
            ),
        )
        yield hosts
    server.close()


def _refusal(status: int, code: str, *headers: tuple[str, str]) -> HttpResponse:
    body = f"<Error><Code>{code}</Code><Message>Refused.</Message></Error>".encode()
    return HttpResponse(status, [("Content-Type", "application/xml"), *headers], body)


def _signature_matches(request: HttpRequest, region: str) -> bool:
    """Sign the request again, as it arrived, with AWS's signature version 4."""
    query = dict(parse_qsl(request.query, keep_blank_values=True))
    given = query.pop("X-Amz-Signature", "")
    names = query["X-Amz-SignedHeaders"].split(";")
    canonical = "\n".join(
        [
            request.method,
            quote(unquote(request.path)),
            "&".join(f"{quote(k, '')}={quote(v, '')}" for k, v in sorted(query.items())),
            *(f"{name}:{request.headers[name]}" for name in names),
            "",
            ";".join(names),
            "UNSIGNED-PAYLOAD",
        ]
    )
    day = query["X-Amz-Date"][:8]
    scope = f"{day}/{region}/s3/aws4_request"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    text = f"AWS4-HMAC-SHA256\n{query['X-Amz-Date']}\n{scope}\n{digest}"
    key = f"AWS4{SECRET}".encode()
    for part in (day, region, "s3", "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.digest(key, text.encode(), "sha256").hex() == given
