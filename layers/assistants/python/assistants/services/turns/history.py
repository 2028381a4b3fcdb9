"""The earlier turns of a run, read back before its next one."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from assistants.domain.annotation import Citation, Sources
from assistants.domain.ids import FileId
from assistants.domain.tool_call import StoredCall
from assistants.ports.table import Row, Table
from assistants.services.runs.repository import LoadedRun
from assistants.services.storage import keys
from assistants.services.turns.chat_messages import text_of, tool_turn

_MAX_STEPS = 1000


@dataclass(frozen=True)
class EarlierTurns:
    """Hold `messages` in the form of chat completions; the next text may cite `sources`."""

    messages: list[dict[str, Any]]
    sources: Sources


@dataclass(frozen=True)
class History:
    table: Table

    def read(self, run: LoadedRun) -> EarlierTurns:
        """Read the run's steps and their messages.

        Text before tool calls belongs to the turn of the calls: a turn without calls ends the run.
        """
        messages: list[dict[str, Any]] = []
        citations: dict[str, Citation] = {}
        files: dict[str, FileId] = {}
        images: list[FileId] = []
        text: str | None = None
        for step in self._steps(run):
            details = step.body["step_details"]
            if step.body["type"] == "message_creation":
                text = self._text_of(run, details["message_creation"]["message_id"])
                images.clear()
                continue
            hosted = self._hosted_calls(run, details["tool_calls"])
            messages += tool_turn(text, details["tool_calls"], hosted)
            text = None
            for call in hosted.values():
                citations |= call.citations
                files |= call.files
                images += call.images
        return EarlierTurns(messages, Sources(citations, files, tuple(images)))

    def _steps(self, run: LoadedRun) -> Iterator[Row]:
        if run.state.turn:
            partition = keys.in_thread(run.project, run.settings.thread_id)
            prefix = keys.steps(run.settings.id)
            yield from self.table.query(partition, prefix, limit=_MAX_STEPS)

    def _hosted_calls(self, run: LoadedRun, calls: list[dict[str, Any]]) -> dict[str, StoredCall]:
        """Return the calls of hosted tools among these, by id, in their order."""
        ids = [call["id"] for call in calls if call["type"] != "function"]
        rows = self.table.get(*(keys.tool_call(run.ref, id_) for id_ in ids))
        stored = [StoredCall.model_validate(row.body) for row in rows if row]
        return {call.id: call for call in stored}

    def _text_of(self, run: LoadedRun, message_id: str) -> str:
        key = keys.message(run.project, run.settings.thread_id, message_id)
        [row] = self.table.get(key)
        return text_of(row.body["content"]) if row else ""
