"""Lambda's detection of recursive loops, by the lineage in the trace header of what invokes.

A lineage counts how often one event has invoked each function. SDKs of functions send it along, and
queues keep it with their messages.
https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html
"""

import hashlib
import json
import secrets
import time
from collections.abc import Iterable
from email.message import Message
from urllib.parse import unquote

HEADER = "X-Amzn-Trace-Id"
MESSAGE_ATTRIBUTE = "AWSTraceHeader"
LONGEST = 16  # invocations of one function by one event
_FIELD = "Lineage="


class RecursiveInvocationError(Exception):
    """Raised when an event has invoked a function too often."""


def sent(headers: Message) -> str:
    """Return the trace header of a request, in which SDKs percent-encode some characters."""
    return unquote(str(headers.get(HEADER, "")))


def extended(trace: str, arn: str) -> str:
    """Return the trace header of one more invocation of the function, by what carries `trace`."""
    counts = {**_counts(trace), _digest(arn): count(trace, arn) + 1}
    fields = [field for field in trace.split(";") if field and not field.startswith(_FIELD)]
    lineage = _FIELD + "|".join(f"{digest}:{number}" for digest, number in counts.items())
    return ";".join([*(fields or [_root()]), lineage])


def count(trace: str, arn: str) -> int:
    """Return how often the function has been invoked on the way that `trace` describes."""
    return _counts(trace).get(_digest(arn), 0)


def longest(traces: Iterable[str], arn: str) -> str:
    """Return the one of several messages' headers that counts for their common invocation."""
    return max(traces, key=lambda trace: count(trace, arn), default="")


def stamp(operation: str, body: bytes, trace: str) -> bytes:
    """Return the request to SQS with the sender's trace header in each message, as SQS keeps it."""
    if not trace or operation not in {"SendMessage", "SendMessageBatch"}:
        return body
    request = json.loads(body)
    for message in request.get("Entries", [request]):
        attributes = message.setdefault("MessageSystemAttributes", {})
        attributes.setdefault(MESSAGE_ATTRIBUTE, {"DataType": "String", "StringValue": trace})
    return json.dumps(request).encode()


def _counts(trace: str) -> dict[str, int]:
    for field in trace.split(";"):
        if field.startswith(_FIELD):
            pairs = (pair.split(":") for pair in field.removeprefix(_FIELD).split("|"))
            return {digest: int(number) for digest, number in pairs}
    return {}


def _digest(arn: str) -> str:
    return hashlib.sha256(arn.encode()).hexdigest()[:8]


def _root() -> str:
    return f"Root=1-{int(time.time()):08x}-{secrets.token_hex(12)};Sampled=0"
