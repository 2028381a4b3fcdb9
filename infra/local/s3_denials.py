"""S3's answer about a key that does not exist, to a role that may not list the whole bucket.

moto says NoSuchKey to everybody; S3 denies access, so as not to tell which keys there are.
https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
"""

from infra.local.http_message import HttpResponse

_MISSING, _DENIED = b"<Code>NoSuchKey</Code>", b"<Code>AccessDenied</Code>"


def deny_missing_key(response: HttpResponse) -> HttpResponse:
    """Turn NoSuchKey into AccessDenied."""
    body = response.body
    if response.status != 404 or not isinstance(body, bytes) or _MISSING not in body:
        return response
    denied = body.replace(_MISSING, _DENIED)
    headers = [
        (name, value) for name, value in response.headers if name.lower() != "content-length"
    ]
    return HttpResponse(403, headers, denied)
