"""Identifiers: a prefix that tells the kind, and 26 characters that tell the order of creation."""

import re
import secrets
import threading
import time
from collections.abc import Iterator

from assistants.domain.errors import InvalidRequestError

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32, lower case
_RANDOM_BITS = 80
_ROOM = 2**32  # between two orders of one millisecond: for ids that follow from the first
_NATIVE = re.compile(rf"[{_ALPHABET}]{{26}}")
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")

ASSISTANT = "asst_"
THREAD = "thread_"
MESSAGE = "msg_"
RUN = "run_"
STEP = "step_"
FILE = "file-"
VECTOR_STORE = "vs_"
FILE_BATCH = "vsfb_"
UPLOAD = "upload_"
UPLOAD_PART = "part_"
TOOL_CALL = "call_"
API_KEY = "key_"


class _Clock:
    """Orders of one process strictly grow, even inside one millisecond and when time jumps back."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = 0

    def next(self) -> int:
        candidate = (time.time_ns() // 1_000_000 << _RANDOM_BITS) | secrets.randbits(_RANDOM_BITS)
        with self._lock:
            self._last = max(candidate, self._last + _ROOM)
            return self._last


_clock = _Clock()


def new_order() -> str:
    """26 characters that sort by time of creation: 48 bits of milliseconds, 80 bits of chance."""
    return _encoded(_clock.next())


def _encoded(number: int) -> str:
    return "".join(_ALPHABET[number >> shift & 31] for shift in range(125, -1, -5))


def new_id(prefix: str) -> str:
    return prefix + new_order()


def ids_after(identifier: str, prefix: str) -> Iterator[str]:
    """Ids that follow from another and come behind it in order: the same ones every time."""
    number = 0
    for character in order_of(identifier):
        number = number << 5 | _ALPHABET.index(character)
    while True:
        number += 1
        yield prefix + _encoded(number)


def order_of(identifier: str) -> str:
    """The sort key inside an id made by `new_id`; a foreign id is its own order."""
    suffix = re.split(r"[_-]", identifier, maxsplit=1)[-1]
    return suffix if _NATIVE.fullmatch(suffix) else identifier


def check_id(value: str, prefix: str, param: str) -> str:
    """The id itself, or `InvalidRequestError` in the words of the original when its kind is
    wrong.
    """
    if not value.startswith(prefix) or not _ID.fullmatch(value):
        kind = prefix.rstrip("_-")
        message = f"Invalid '{param}': '{value}'. Expected an ID that begins with '{kind}'."
        raise InvalidRequestError(message, param=param, code="invalid_value")
    return value
