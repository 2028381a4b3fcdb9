"""From a thread and a run to what the model reads: instructions, messages, earlier tool calls."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from assistants.domain.run import RunSettings
from assistants.domain.tool import NamedToolChoice
from assistants.ports.chat_model import ModelRequest
from assistants.ports.store import Store
from assistants.services import keyspace
from assistants.services.run_records import LoadedRun

_PAGE = 100  # messages fetched by one query
_MAX_STEPS = 1000


@dataclass(frozen=True)
class Prompts:
    store: Store

    def request(self, run: LoadedRun) -> ModelRequest:
        """What to ask the model in the run's next turn."""
        settings = run.settings
        system = [{"role": "system", "content": settings.instructions}]
        return ModelRequest(
            model=settings.model,
            messages=[
                *(system if settings.instructions else []),
                *self._conversation(run),
                *(self._earlier_turns(run) if run.state.turn else []),
            ],
            tools=[tool.model_dump() for tool in settings.tools if tool.type == "function"],
            options=_options(settings),
        )

    def _conversation(self, run: LoadedRun) -> list[dict[str, Any]]:
        """The thread's messages, oldest first, without those of this run."""
        strategy = run.settings.truncation_strategy
        wanted = strategy.last_messages if strategy.type == "last_messages" else None
        newest_first: list[dict[str, Any]] = []
        for message in self._newest_first(run):
            if wanted is not None and len(newest_first) == wanted:
                break
            if message["run_id"] != run.settings.id:
                newest_first.append(_chat_message(message))
        return newest_first[::-1]

    def _newest_first(self, run: LoadedRun) -> Iterator[dict[str, Any]]:
        partition = keyspace.in_thread(run.project, run.settings.thread_id)
        before: str | None = None
        while True:
            rows = self.store.query(
                partition, keyspace.MESSAGES, before=before, limit=_PAGE, descending=True
            )
            yield from (row.body for row in rows)
            if len(rows) < _PAGE:
                return
            before = rows[-1].key.sort

    def _earlier_turns(self, run: LoadedRun) -> Iterator[dict[str, Any]]:
        """What this run has said and called so far. Text before tool calls belongs to their turn:
        a turn that only speaks ends the run.
        """
        thread_id, run_id = run.settings.thread_id, run.settings.id
        rows = self.store.query(
            keyspace.in_thread(run.project, thread_id), keyspace.steps(run_id), limit=_MAX_STEPS
        )
        spoken: str | None = None
        for row in rows:
            details = row.body["step_details"]
            if row.body["type"] == "message_creation":
                spoken = self._text_of(run, details["message_creation"]["message_id"])
            else:
                yield from _tool_turn(spoken, details["tool_calls"])
                spoken = None

    def _text_of(self, run: LoadedRun, message_id: str) -> str:
        key = keyspace.message(run.project, run.settings.thread_id, message_id)
        [row] = self.store.get(key)
        return _text(row.body["content"]) if row else ""


def _tool_turn(spoken: str | None, calls: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    asked = [
        {
            "id": call["id"],
            "type": "function",
            "function": {key: call["function"][key] for key in ("name", "arguments")},
        }
        for call in calls
    ]
    yield {"role": "assistant", "content": spoken, "tool_calls": asked}
    for call in calls:
        output = call["function"]["output"]
        yield {"role": "tool", "tool_call_id": call["id"], "content": output or ""}


def _chat_message(message: dict[str, Any]) -> dict[str, Any]:
    content = message["content"]
    if any(block["type"] == "image_url" for block in content):
        parts = [
            {"type": "text", "text": block["text"]["value"]} if block["type"] == "text" else block
            for block in content
        ]
        return {"role": message["role"], "content": parts}
    return {"role": message["role"], "content": _text(content)}


def _text(content: list[dict[str, Any]]) -> str:
    texts = [block["text"]["value"] for block in content if block["type"] == "text"]
    refusals = [block["refusal"] for block in content if block["type"] == "refusal"]
    return "\n".join([*texts, *refusals])


def _options(settings: RunSettings) -> dict[str, Any]:
    """The members of a chat completion that steer the answer, where the run says anything."""
    options: dict[str, Any] = {
        "temperature": settings.temperature,
        "top_p": settings.top_p,
        "reasoning_effort": settings.reasoning_effort,
        "max_completion_tokens": settings.max_completion_tokens,
    }
    if settings.response_format != "auto":
        options["response_format"] = settings.model_dump(by_alias=True)["response_format"]
    if any(tool.type == "function" for tool in settings.tools):
        choice = settings.tool_choice
        options["parallel_tool_calls"] = settings.parallel_tool_calls
        options["tool_choice"] = (
            choice.model_dump() if isinstance(choice, NamedToolChoice) else choice
        )
    return {name: value for name, value in options.items() if value is not None}
