"""Ids: a prefix for the kind, and 26 characters that sort by time of creation."""

import re
import secrets
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any, Generic, NamedTuple, NewType, TypeVar, cast

from assistants.domain.errors import InvalidRequestError

ProjectId = NewType("ProjectId", str)
ThreadId = NewType("ThreadId", str)
RunId = NewType("RunId", str)
VectorStoreId = NewType("VectorStoreId", str)
FileId = NewType("FileId", str)
I = TypeVar("I", bound=str)  # noqa: E741 - an id

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32, lower case
_RANDOM_BITS = 80
_ROOM = 2**32  # between two orders of one millisecond, for the ids of `ids_after`
_NATIVE = re.compile(rf"[{_ALPHABET}]{{26}}")
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


class IdKind(str, Generic[I]):
    """The prefix of one kind of ids. `I` is the type of the ids made or checked with it."""

    __slots__ = ()

    def with_order(self, order: str) -> I:
        """Return the id of this kind with the given order."""
        return cast(I, self + order)


ASSISTANT = IdKind[str]("asst_")
THREAD = IdKind[ThreadId]("thread_")
MESSAGE = IdKind[str]("msg_")
RUN = IdKind[RunId]("run_")
STEP = IdKind[str]("step_")
FILE = IdKind[FileId]("file-")
VECTOR_STORE = IdKind[VectorStoreId]("vs_")
FILE_BATCH = IdKind[str]("vsfb_")
UPLOAD = IdKind[str]("upload_")
UPLOAD_PART = IdKind[str]("part_")
TOOL_CALL = IdKind[str]("call_")
API_KEY = IdKind[str]("key_")


class RunRef(NamedTuple):
    """Identify a run: its project, its thread and its id."""

    project: ProjectId
    thread_id: ThreadId
    run_id: RunId

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> "RunRef":
        """Read the ids from the input of a state of the run's state machine."""
        return cls(state["project"], state["thread"], state["run"])

    def to_state(self) -> dict[str, str]:
        """Return the ids as `{project, thread, run}`, members of every state's input."""
        return {"project": self.project, "thread": self.thread_id, "run": self.run_id}


class EntryRef(NamedTuple):
    """Name one entry of a vector store: a File, from when it is attached until it is detached.

    A File that is attached again gets a new entry, so that nothing left over from the old one can
    be taken for the new one's. Entries sort by `entry_id` in the order in which they were attached.
    """

    project: ProjectId
    vector_store_id: VectorStoreId
    entry_id: str

    @classmethod
    def from_message(cls, message: Mapping[str, Any]) -> "EntryRef":
        """Read the ids from a message of the index queue."""
        return cls(message["project"], message["store"], message["entry"])

    def to_message(self) -> dict[str, str]:
        """Return the ids as `{project, store, entry}`, the body of a message of the index queue."""
        return {"project": self.project, "store": self.vector_store_id, "entry": self.entry_id}


class _Clock:
    """Make strictly increasing orders, even in one millisecond and when time jumps back."""

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
    """Return 26 characters that sort by time: 48 bits of milliseconds, 80 random bits."""
    return _encoded(_clock.next())


def _encoded(number: int) -> str:
    return "".join(_ALPHABET[number >> shift & 31] for shift in range(125, -1, -5))


def new_id(kind: IdKind[I]) -> I:
    """Return a new id of a kind."""
    return kind.with_order(new_order())


def ids_after(identifier: str, kind: IdKind[I]) -> Iterator[I]:
    """Yield ids that are derived from another and sort after it: always the same ones."""
    number = 0
    for character in order_of(identifier):
        number = number << 5 | _ALPHABET.index(character)
    while True:
        number += 1
        yield kind.with_order(_encoded(number))


def order_of(identifier: str) -> str:
    """Return the sort key in an id made by `new_id`; any other id is its own sort key."""
    suffix = re.split(r"[_-]", identifier, maxsplit=1)[-1]
    return suffix if _NATIVE.fullmatch(suffix) else identifier


def check_id(value: str, kind: IdKind[I], param: str) -> I:
    """Return the id, typed as its kind. Raises `InvalidRequestError` for any other string."""
    if not value.startswith(kind) or not _ID.fullmatch(value):
        name = kind.rstrip("_-")
        message = f"Invalid '{param}': '{value}'. Expected an ID that begins with '{name}'."
        raise InvalidRequestError(message, param=param, code="invalid_value")
    return cast(I, value)
