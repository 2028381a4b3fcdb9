"""Amazon's event stream encoding, in which Lambda frames a streamed response.

https://smithy.io/2.0/aws/amazon-eventstream.html
"""

import struct
import zlib

STRING = 7


def message(event_type: str, content_type: str, payload: bytes) -> bytes:
    """Encode one event: prelude, headers and payload, each checksum after what it covers."""
    headers = b"".join(
        _header(name, value)
        for name, value in (
            (":message-type", "event"),
            (":event-type", event_type),
            (":content-type", content_type),
        )
    )
    total = 12 + len(headers) + len(payload) + 4
    prelude = struct.pack("!II", total, len(headers))
    body = prelude + struct.pack("!I", zlib.crc32(prelude)) + headers + payload
    return body + struct.pack("!I", zlib.crc32(body))


def _header(name: str, value: str) -> bytes:
    return struct.pack(
        f"!B{len(name)}sBH{len(value)}s",
        len(name),
        name.encode(),
        STRING,
        len(value),
        value.encode(),
    )
