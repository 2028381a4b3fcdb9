"""What a run has said and called so far, read back before its next turn."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from assistants.domain.annotation import Citation, Sources
from assistants.ports.table import Row, Table
from assistants.services.runs.repository import LoadedRun
from assistants.services.storage import keys
from assistants.services.turns.chat_messages import text_of, tool_turn

_MAX_STEPS = 1000


@dataclass(frozen=True)
class Earlier:
    """`messages` in the form of chat completions, and what the next text can refer to."""

    messages: list[dict[str, Any]]
    sources: Sources


@dataclass(frozen=True)
class History:
    table: Table

    def of(self, run: LoadedRun) -> Earlier:
        """Text before tool calls belongs to their turn: a turn that only speaks ends the run."""
        messages: list[dict[str, Any]] = []
        citations: dict[str, Citation] = {}
        files: dict[str, str] = {}
        images: list[str] = []
        spoken: str | None = None
        for step in self._steps(run):
            details = step.body["step_details"]
            if step.body["type"] == "message_creation":
                spoken = self._text_of(run, details["message_creation"]["message_id"])
                images.clear()
                continue
            answers = self._answers(run, details["tool_calls"])
            messages += tool_turn(spoken, details["tool_calls"], answers)
            spoken = None
            for answer in answers.values():
                known = answer.get("citations", {}).items()
                citations |= {marker: Citation(**citation) for marker, citation in known}
                files |= answer.get("files", {})
                images += answer.get("images", ())
        return Earlier(messages, Sources(citations, files, tuple(images)))

    def _steps(self, run: LoadedRun) -> Iterator[Row]:
        if run.state.turn:
            partition = keys.in_thread(run.project, run.settings.thread_id)
            prefix = keys.steps(run.settings.id)
            yield from self.table.query(partition, prefix, limit=_MAX_STEPS)

    def _answers(self, run: LoadedRun, calls: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
        """The rows of the calls that the server answers itself, by id, in their order."""
        hosted = [call["id"] for call in calls if call["type"] != "function"]
        places = [keys.tool_call(run.ref, id_) for id_ in hosted]
        return {row.body["id"]: row.body for row in self.table.get(*places) if row}

    def _text_of(self, run: LoadedRun, message_id: str) -> str:
        key = keys.message(run.project, run.settings.thread_id, message_id)
        [row] = self.table.get(key)
        return text_of(row.body["content"]) if row else ""
