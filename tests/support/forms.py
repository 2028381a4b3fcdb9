"""Bodies of `multipart/form-data`, right and wrong, byte by byte."""

from collections.abc import Mapping
from typing import NamedTuple

BOUNDARY = "boundary-7f2a"
HEADERS = {"content-type": f"multipart/form-data; boundary={BOUNDARY}"}


class Attached(NamedTuple):
    content: bytes
    filename: str = "notes.txt"
    mime_type: str | None = "text/plain"


def part(name: str, value: str | Attached) -> bytes:
    """Encode one part, with its delimiter in front."""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"'
    if isinstance(value, str):
        return f"{head}\r\n\r\n{value}\r\n".encode()
    head += f'; filename="{value.filename}"'
    if value.mime_type is not None:
        head += f"\r\nContent-Type: {value.mime_type}"
    return f"{head}\r\n\r\n".encode() + value.content + b"\r\n"


def end() -> bytes:
    return f"--{BOUNDARY}--\r\n".encode()


def form(members: Mapping[str, str | Attached]) -> bytes:
    return b"".join(part(name, value) for name, value in members.items()) + end()
