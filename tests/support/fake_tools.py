"""Hosted tools that need no sandbox and no index."""

from typing import Any

from assistants.domain.ids import ProjectId
from assistants.domain.run import RunSettings
from assistants.ports.hosted_tool import HostedTool, ToolAnswer, ToolUse


class FakeTool(HostedTool):
    """Answers every call with its number."""

    def __init__(self) -> None:
        self.uses: list[ToolUse] = []

    def answer(self, use: ToolUse) -> ToolAnswer:
        self.uses.append(use)
        log = {"index": 0, "type": "logs", "logs": f"{len(self.uses)}"}
        return ToolAnswer(output=f"printed {len(self.uses)}", shown={"outputs": [log]})


class UnusedTool(HostedTool):
    """A tool that the deployment has, and that no run of the test calls."""

    def prepare(self, project: ProjectId, run: RunSettings, **_: Any) -> None:
        raise AssertionError(run)

    def answer(self, use: ToolUse) -> ToolAnswer:
        raise AssertionError(use)
