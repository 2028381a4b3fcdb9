"""Code interpreter sessions: isolated machines that run Python and have no network."""

from dataclasses import dataclass
from typing import Literal, Protocol

Reason = Literal["timeout", "cancelled", "output", "memory", "disk", "exited", "protocol"]

MAX_CODE_BYTES = 1 << 20
MAX_FILE_BYTES = 512 << 20  # of one file that goes in or out
MAX_WAIT_SECONDS = 25


class SandboxUnavailableError(Exception):
    """Raised when no session can be started now; a later try may succeed."""


class SandboxLostError(Exception):
    """Raised when a session has ended or does not answer; its variables and files are lost."""


class SandboxRefusedError(Exception):
    """Raised when a session refuses a request; `code` is the reason, such as `too_large`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class MadeImage:
    """A PNG or JPEG that the code has displayed. `size` is in bytes."""

    mime_type: str
    size: int


@dataclass(frozen=True, slots=True)
class MadeFile:
    """A file that the code has created or changed. `path` is relative to /mnt/data."""

    path: str
    size: int
    sha256: str | None  # None above 1 GiB


@dataclass(frozen=True, slots=True)
class Execution:
    """The result of an execution.

    `error` names the code's exception, `reason` why the execution was stopped. If `lost`, the
    variables of earlier executions are gone. `generation` counts the session's interpreters.
    `logs` is the output, at most 64 KiB; if `truncated`, its beginning and its end. `skipped`
    counts images and files that are not reported.
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
    """One session. Files are copied between it and blobs.

    Every method but `ready` raises `SandboxLostError` and `SandboxRefusedError`. All are
    idempotent.
    """

    def ready(self, wait: float) -> bool:
        """Return whether the session answers within `wait` seconds.

        Raises `SandboxLostError` if another session answers at its address.
        """
        ...

    def execute(self, id: str, code: str, *, seconds: float, wait: float) -> Execution | None:
        """Run code once per `id`, for at most `seconds`, and wait `wait` seconds (at most 25).

        Return None while it is running; the same call then waits for the result.
        """
        ...

    def cancel(self, id: str) -> None:
        """Interrupt an execution, or prevent it; the reason in its result is `cancelled`.

        Ignore an execution that the session does not know.
        """
        ...

    def put(self, path: str, blob: str, size: int) -> None:
        """Copy a blob of `size` bytes to /mnt/data/`path`, replacing any file there.

        Also raises `BlobMissingError`.
        """
        ...

    def take(self, path: str, blob: str) -> int:
        """Copy /mnt/data/`path` to a blob; return its size in bytes."""
        ...

    def take_image(self, id: str, number: int, blob: str) -> int:
        """Copy image `number` (from 0) of an execution to a blob; return its size in bytes."""
        ...


class Sandboxes(Protocol):
    def launch(self, name: str, token: str) -> str:
        """Start a session that `token` gives access to, once per `name`; return its handle.

        Raises `SandboxUnavailableError`.
        """
        ...

    def address(self, handle: str) -> str | None:
        """Return the URL at which the session answers, or None while it is starting.

        Raises `SandboxLostError`.
        """
        ...

    def open(self, address: str, token: str) -> SandboxSession:
        """Return the session at an address, without connecting to it yet."""
        ...

    def stop(self, handle: str) -> None:
        """End a session, whether it answers or not. Ignore one that has ended."""
        ...
