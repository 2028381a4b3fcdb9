"""A tool that runs on the server: arguments in, an answer out."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from assistants.domain.run import RunSettings


@dataclass(frozen=True)
class ToolUse:
    """One call of a run. `arguments` is the JSON that the model wrote, whatever it is. Answering
    the same `id` again must not do anything twice.
    """

    project: str
    run: RunSettings
    id: str
    arguments: str
    cancelled: Callable[[], bool]  # whether the run was cancelled or has ended meanwhile
    seconds_left: int


@dataclass(frozen=True)
class ToolAnswer:
    """`told` is what the model reads. `shown` are members of the call in its step, in the form of
    a delta: what is in it is added to what clients have seen of the call.
    """

    told: str
    shown: dict[str, Any] = field(default_factory=dict)


class HostedTool(Protocol):
    def answer(self, use: ToolUse) -> ToolAnswer:
        """What goes wrong in a way that the model can deal with is an answer, too. Raises for what
        a later try may mend.
        """
        ...
