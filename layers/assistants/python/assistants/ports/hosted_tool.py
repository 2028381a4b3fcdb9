"""A tool that runs on the server: arguments in, an answer out."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from assistants.domain.annotation import Citation
from assistants.domain.ids import FileId, ProjectId
from assistants.domain.run import ErrorCode, RunSettings


class RunFailedError(Exception):
    """Raise when a run cannot go on; `code` and `message` become its `last_error`."""

    def __init__(self, code: ErrorCode, message: str) -> None:
        super().__init__(message)
        self.code: ErrorCode = code
        self.message = message


@dataclass(frozen=True)
class ToolUse:
    """One call of a run. `arguments` is the JSON that the model wrote, whatever it is. Answering
    the same `id` again must not do anything twice. `number` counts the calls of tools like this
    from 0 through the run, and is the same on every repetition.
    """

    project: ProjectId
    run: RunSettings
    id: str
    number: int
    arguments: str
    cancelled: Callable[[], bool]  # whether the run was cancelled or has ended meanwhile
    seconds_left: int


@dataclass(frozen=True)
class ToolAnswer:
    """`told` is what the model reads. `shown` are members of the call in its step, in the form of
    a delta: what is in it is added to what clients have seen of the call.

    The rest is what the run's texts may refer to. `citations` are known by the `k:j` of their
    markers `【k:j†name】`: `k` is the use's number, `j` counts passages from 0. `files` are known
    by their path below /mnt/data; `images` come before the text of the next message. All ids are
    those of Files.
    """

    told: str
    shown: dict[str, Any] = field(default_factory=dict)
    citations: dict[str, Citation] = field(default_factory=dict)
    files: dict[str, FileId] = field(default_factory=dict)
    images: tuple[FileId, ...] = ()


class HostedTool(Protocol):
    def prepare(
        self,
        project: ProjectId,
        run: RunSettings,
        *,
        cancelled: Callable[[], bool],
        seconds_left: int,
    ) -> None:
        """Called before the model is asked for the first time, perhaps again: have ready what a
        call would wait for. The first word waits until this returns.

        Raises `RunFailedError`. Whatever else it raises is logged, and the run goes on.
        """
        ...

    def answer(self, use: ToolUse) -> ToolAnswer:
        """What goes wrong in a way that the model can deal with is an answer, too. Raises for what
        a later try may mend.
        """
        ...
