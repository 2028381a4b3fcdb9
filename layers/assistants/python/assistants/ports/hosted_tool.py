"""A tool that runs on the server: arguments in, an answer out."""

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from assistants.domain.annotation import Citation
from assistants.domain.ids import FileId, ProjectId
from assistants.domain.run import ErrorCode, RunSettings


class RunFailedError(Exception):
    """Raised when a run cannot go on; becomes its `last_error`."""

    def __init__(self, code: ErrorCode, message: str) -> None:
        super().__init__(message)
        self.code: ErrorCode = code
        self.message = message


@dataclass(frozen=True)
class ToolUse:
    """One call of a run.

    `arguments` is the text that the model wrote, which may not be valid JSON. `number` counts the
    run's calls of hosted tools from 0, and is the same on every repetition.
    """

    project: ProjectId
    run: RunSettings
    id: str
    number: int
    arguments: str
    cancelled: Callable[[], bool]  # whether the run has been cancelled or has ended since
    seconds_left: int


@dataclass(frozen=True)
class ToolAnswer:
    """The answer to one call.

    The model reads `output`. `shown` holds members of the call in its step, in the form of a delta:
    they are added to the members that clients have seen already.

    The run's texts may refer to the rest, which is all ids of Files. `citations` are known by the
    `k:j` of their markers `【k:j†name】`: `k` is the use's number, `j` counts passages from 0.
    `files` are known by their path below /mnt/data. `images` precede the text of the next message.
    """

    output: str
    shown: dict[str, Any] = field(default_factory=dict)
    citations: dict[str, Citation] = field(default_factory=dict)
    files: dict[str, FileId] = field(default_factory=dict)
    images: tuple[FileId, ...] = ()


class HostedTool(Protocol):
    """Implement a hosted tool. A class that inherits from this one need only define `answer`."""

    def instructions(self, project: ProjectId, run: RunSettings) -> str | None:
        """Return text for the model to read after the run's own instructions."""
        return None

    def prepare(
        self,
        project: ProjectId,
        run: RunSettings,
        *,
        cancelled: Callable[[], bool],
        seconds_left: int,
    ) -> None:
        """Start whatever a call would have to wait for.

        Called before the model is first asked, and perhaps again. The model is asked only after
        this returns.

        Raises `RunFailedError`. Any other exception is logged, and the run goes on.
        """
        return

    @abstractmethod
    def answer(self, use: ToolUse) -> ToolAnswer:
        """Answer a call; answering the same `use.id` again must not do anything twice.

        A failure that the model can deal with is an answer, too. Raise for one that a later try may
        mend.
        """
        ...
