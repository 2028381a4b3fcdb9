"""`application/vnd.amazon.eventstream`: messages of headers and a payload, guarded by checksums.

The layout is that of Smithy's specification of the event stream encoding.
"""

import json
import struct
from binascii import crc32
from typing import Any

CONTENT_TYPE = "application/vnd.amazon.eventstream"
_STRING = 7  # the type of a header's value


def event(kind: str, payload: dict[str, Any]) -> bytes:
    return _frame({":message-type": "event", ":event-type": kind, **_JSON}, payload)


def exception(kind: str, message: str) -> bytes:
    headers = {":message-type": "exception", ":exception-type": kind, **_JSON}
    return _frame(headers, {"message": message})


_JSON = {":content-type": "application/json"}


def _frame(headers: dict[str, str], payload: dict[str, Any]) -> bytes:
    head = b"".join(_header(name, value) for name, value in headers.items())
    body = json.dumps(payload).encode()
    lengths = struct.pack("!II", 16 + len(head) + len(body), len(head))
    prelude = lengths + struct.pack("!I", crc32(lengths))
    message = prelude + head + body
    return message + struct.pack("!I", crc32(message))


def _header(name: str, value: str) -> bytes:
    text = value.encode()
    key = struct.pack("!B", len(name)) + name.encode()
    return key + struct.pack("!BH", _STRING, len(text)) + text
