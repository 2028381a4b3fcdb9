"""The result of an execution: the schema of the daemon's answer."""

from __future__ import annotations

import base64
from dataclasses import asdict, dataclass
from typing import Any, Literal

from .files import ChangedFile
from .images import CheckedImage

Reason = Literal[
    "timeout",  # the code took longer than it was given
    "cancelled",  # it was asked to stop
    "output",  # it printed too much
    "memory",  # the sandbox took more memory than it has
    "disk",  # the sandbox filled its share of the disk
    "exited",  # the kernel process ended
    "protocol",  # the kernel process violated the protocol
]


@dataclass(frozen=True)
class Result:
    """One execution's outcome.

    `error` names the exception of the code; `reason` is why the daemon intervened. `lost` says that
    the variables of earlier executions are gone; `generation` counts the kernels of the session.
    `total` is the printed bytes, of which `logs` keeps beginning and end if `truncated`. `skipped`
    counts images and changed files that are not reported.
    """

    ok: bool
    error: str | None
    reason: Reason | None
    lost: bool
    generation: int
    logs: str
    truncated: bool
    total: int
    images: tuple[CheckedImage, ...]
    files: tuple[ChangedFile, ...]
    skipped: int
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """Return the answer's body."""
        images = [
            {"mime": image.mime, "data": base64.b64encode(image.data).decode()}
            for image in self.images
        ]
        files = [asdict(file) for file in self.files]
        shown = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {**shown, "images": images, "files": files}

    @property
    def weight(self) -> int:
        """Return the bytes that it takes to keep this result."""
        return len(self.logs) + sum(len(image.data) for image in self.images)
