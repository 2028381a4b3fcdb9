"""Code interpreter sessions: machines of their own, which run Python and can reach nothing."""

from dataclasses import dataclass
from typing import Literal, Protocol

Reason = Literal["timeout", "cancelled", "output", "memory", "disk", "exited", "protocol"]

MAX_CODE_BYTES = 1 << 20
MAX_FILE_BYTES = 512 << 20  # of one file that goes in or out
MAX_WAIT_SECONDS = 25


class SandboxUnavailableError(Exception):
    """Raise when no session can be started now; a later try may succeed."""


class SandboxLostError(Exception):
    """Raise when a session has ended or does not answer; what its code knew is gone."""


class SandboxRefusedError(Exception):
    """Raise when a session refuses a request, such as code that is too long; `code` tells why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class MadeImage:
    """A PNG or JPEG that the code has shown."""

    mime_type: str
    size: int


@dataclass(frozen=True, slots=True)
class MadeFile:
    """A file that the code has made or changed; `path` is relative to /mnt/data."""

    path: str
    size: int
    sha256: str | None  # none above 1 GiB


@dataclass(frozen=True, slots=True)
class Execution:
    """What code came to. `error` names its exception; `reason` says why it was stopped.

    `lost`: the variables of earlier executions are gone. `generation` counts the interpreters that
    the session has had. `logs` is at most 64 KiB of what was printed, the beginning and the end, if
    `truncated`. `skipped` counts images and files that are not reported.
    """

    ok: bool
    error: str | None
    reason: Reason | None
    lost: bool
    generation: int
    logs: str
    truncated: bool
    images: tuple[MadeImage, ...]
    files: tuple[MadeFile, ...]
    skipped: int


class SandboxSession(Protocol):
    """One session. Every method but `ready` raises `SandboxLostError` and `SandboxRefusedError`;
    calling it again with the same arguments does nothing twice. Bytes go between the session and
    blobs.
    """

    def ready(self, wait: float) -> bool:
        """Whether the session answers within so many seconds. Raises `SandboxLostError` if another
        answers in its place.
        """
        ...

    def execute(self, id: str, code: str, *, seconds: float, wait: float) -> Execution | None:
        """Run code once under its id, for at most `seconds`, and wait for at most 25 seconds.

        None while it is running: ask again.
        """
        ...

    def cancel(self, id: str) -> None:
        """Interrupt an execution, or keep it from starting; its result tells `cancelled`. One that
        the session never took is fine.
        """
        ...

    def put(self, path: str, blob: str, size: int) -> None:
        """Copy a blob of `size` bytes to /mnt/data/`path`, replacing what is there.

        Raises `BlobMissingError`, too.
        """
        ...

    def take(self, path: str, blob: str) -> int:
        """Copy /mnt/data/`path` to a blob; returns its size in bytes."""
        ...

    def take_image(self, id: str, number: int, blob: str) -> int:
        """Copy an image that an execution has shown, from number 0, to a blob; returns its size."""
        ...


class Sandboxes(Protocol):
    def launch(self, name: str, token: str) -> str:
        """Begin a session that opens to `token`, once for each `name`, and return its handle.

        Raises `SandboxUnavailableError`.
        """
        ...

    def address(self, handle: str) -> str | None:
        """The URL at which the session answers, none while it is still coming up.

        Raises `SandboxLostError`.
        """
        ...

    def open(self, address: str, token: str) -> SandboxSession:
        """The session at an address. Nothing is sent before it is used."""
        ...

    def stop(self, handle: str) -> None:
        """End a session, answering or not; one that is gone already is fine."""
        ...
