"""Streams of every kind of run, recorded, through both official SDKs' own stream readers."""

import json
from pathlib import Path
from typing import Any

import httpx2
import pytest
from openai import AssistantEventHandler, OpenAI

from assistants.domain.annotation import LINK, Citation
from assistants.domain.ids import FileId
from assistants.domain.run import Usage
from assistants.http.events import KEEP_ALIVE
from assistants.ports.chat_model import (
    FinishDelta,
    ModelError,
    RefusalDelta,
    TextDelta,
    ToolCallDelta,
)
from assistants.ports.hosted_tool import HostedTool, ToolAnswer, ToolUse
from tests.e2e.node_sdk import run_node
from tests.support.deployment import WEATHER, Deployment, outputs, path
from tests.support.fakes import FakeClock, Script

CALL: Script = [ToolCallDelta(0, "a", "weather"), ToolCallDelta(0, arguments='{"city": "Paris"}')]
TWO: Script = [*CALL, ToolCallDelta(1, "b", "weather"), ToolCallDelta(1, arguments="{}")]
BREAK = ModelError("server_error", "The model's answer broke off.")
SCRIPTS: dict[str, Script] = {
    "plain": ["Hello ", "world", FinishDelta("stop", Usage(total_tokens=5))],
    "empty": [],
    "unicode": ["naïve 🙂 ", "\u2028\n", '"quoted"'],
    "refusal": [RefusalDelta("I can"), RefusalDelta("not.")],
    "text and refusal": [TextDelta("Well. "), RefusalDelta("No.")],
    "one call": CALL,
    "parallel calls": TWO,
    "text, then calls": ["Let me look. ", *TWO],
    "cut at its length": ["Hel", FinishDelta("length")],
    "cut in a call": [*CALL, FinishDelta("length")],
    "filtered": ["Hel", FinishDelta("content_filter")],
    "broken before its first word": [BREAK],
    "broken in mid-answer": ["Hel", BREAK],
    "broken in a call": [*CALL, BREAK],
}
STATUS = {
    "one call": "requires_action",
    "parallel calls": "requires_action",
    "text, then calls": "requires_action",
    "cut at its length": "incomplete",
    "cut in a call": "incomplete",
    "filtered": "failed",
    "broken before its first word": "failed",
    "broken in mid-answer": "failed",
    "broken in a call": "failed",
}


def recorded(script: Script, step: float) -> bytes:
    """Record the bytes of a run's stream. `step` seconds pass when the clock is read, so that an
    answer is written in one piece or in many.
    """
    deployment = Deployment(script, clock=FakeClock(step=step))
    thread_id, assistant_id = deployment.thread("Hello"), deployment.assistant(tools=[WEATHER])
    body = {"assistant_id": assistant_id, "stream": True}
    return deployment.api.request("POST", f"/threads/{thread_id}/runs", body).body


def submitted() -> bytes:
    """Submit outputs, and return the stream of what follows."""
    deployment = Deployment(TWO, ["It is sunny."])
    run = deployment.run()
    body = {**outputs(run), "stream": True}
    return deployment.api.request("POST", f"{path(run)}/submit_tool_outputs", body).body


class Finder(HostedTool):
    """Finds one passage, and makes a file and an image."""

    def answer(self, use: ToolUse) -> ToolAnswer:
        content = [{"index": 0, "type": "text", "text": "a passage"}]
        result = {"file_id": "file-a", "file_name": "a.pdf", "score": 0.5, "content": content}
        ranking = {"ranker": "auto", "score_threshold": 0.0}
        return ToolAnswer(
            "found",
            shown={"ranking_options": ranking, "results": [{"index": 0, **result}]},
            citations={"0:0": Citation(FileId("file-a"), "a passage")},
            files={"t.csv": FileId("file-t")},
            images=(FileId("file-image"),),
        )


def with_sources(step: float) -> bytes:
    """Record a run that cites a passage, links a file and shows an image."""
    deployment = Deployment(
        [ToolCallDelta(0, "a", "file_search", "{}")],
        ["🙂 【0:", "0†a.pdf】 and ", f"{LINK}t.", "csv and【0:0】"],
        clock=FakeClock(step=step),
        tools={"file_search": Finder()},
    )
    assistant_id = deployment.assistant(tools=[{"type": "file_search"}])
    body = {"assistant_id": assistant_id, "stream": True}
    url = f"/threads/{deployment.thread('Hello')}/runs"
    return deployment.api.request("POST", url, body).body


def with_silences() -> bytes:
    """Return the stream with a pause before each frame."""
    return b"\n\n".join(
        KEEP_ALIVE + frame for frame in recorded(SCRIPTS["plain"], 0.1).split(b"\n\n")
    )


class Handler(AssistantEventHandler):
    """Counts what the SDK reports of a run."""

    def __init__(self) -> None:
        super().__init__()
        self.text = ""
        self.done: list[str] = []
        self.annotations: list[Any] = []
        self.images: list[str] = []

    def on_text_delta(self, delta: Any, snapshot: Any) -> None:
        self.text += delta.value or ""

    def on_text_done(self, text: Any) -> None:
        self.annotations += text.annotations

    def on_image_file_done(self, image_file: Any) -> None:
        self.images.append(image_file.file_id)

    def on_message_done(self, message: Any) -> None:
        self.done.append(message.status)


def through_python(body: bytes) -> tuple[Handler, str]:
    """Read a stream by the Python SDK's handler; return its counts and the run's last status."""
    headers = {"content-type": "text/event-stream"}
    answer = httpx2.MockTransport(lambda _: httpx2.Response(200, headers=headers, content=body))
    handler = Handler()
    with (
        httpx2.Client(transport=answer) as http,
        OpenAI(api_key="sk-recorded", http_client=http, max_retries=0) as client,
        client.beta.threads.runs.stream(
            thread_id="thread_1", assistant_id="asst_1", event_handler=handler
        ) as stream,
    ):
        stream.until_done()
        assert handler.current_run is not None
        return handler, handler.current_run.status


@pytest.mark.parametrize("step", [0.0, 0.1])
@pytest.mark.parametrize("name", SCRIPTS)
def test_the_python_sdk_reads_every_stream(name: str, step: float) -> None:
    handler, status = through_python(recorded(SCRIPTS[name], step))
    assert status == STATUS.get(name, "completed")
    said = "".join(
        each.value if isinstance(each, TextDelta) else each
        for each in SCRIPTS[name]
        if isinstance(each, str | TextDelta)
    )
    assert handler.text == said
    assert len(handler.done) == bool(said or name in ("empty", "refusal"))


def test_the_python_sdk_reads_the_stream_of_a_submit() -> None:
    handler, status = through_python(submitted())
    assert (handler.text, status) == ("It is sunny.", "completed")


def test_the_python_sdk_reads_on_after_a_silence() -> None:
    handler, status = through_python(with_silences())
    assert (handler.text, status) == ("Hello world", "completed")


@pytest.mark.parametrize("step", [0.0, 0.1])
def test_the_python_sdk_reports_the_sources_of_a_text(step: float) -> None:
    handler, status = through_python(with_sources(step))
    assert (handler.text, status) == (f"🙂 【0:0†a.pdf】 and {LINK}t.csv and【0:0】", "completed")
    assert handler.images == ["file-image"]
    pointed_at = [handler.text[each.start_index : each.end_index] for each in handler.annotations]
    assert pointed_at == ["【0:0†a.pdf】", f"{LINK}t.csv", "【0:0】"]
    assert pointed_at == [each.text for each in handler.annotations]
    assert [each.type for each in handler.annotations] == [
        "file_citation",
        "file_path",
        "file_citation",
    ]


def test_the_node_sdk_reads_every_stream(tmp_path: Path) -> None:
    streams = [
        {"name": name, "body": recorded(script, step).decode()}
        for name, script in SCRIPTS.items()
        for step in (0.0, 0.1)
    ]
    streams += [{"name": "sources", "body": with_sources(step).decode()} for step in (0.0, 0.1)]
    streams.append({"name": "submit", "body": submitted().decode()})
    streams.append({"name": "silences", "body": with_silences().decode()})
    file = tmp_path / "streams.json"
    file.write_text(json.dumps(streams))
    for seen in run_node("recorded.mjs", file):
        assert seen.get("status") == STATUS.get(seen["name"], "completed"), seen
