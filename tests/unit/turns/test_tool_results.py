"""The results of hosted tools in the messages of a run: citations, files, images."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistants.domain.annotation import LINK, Citation
from assistants.domain.assistant import Assistant
from assistants.domain.ids import FileId, ProjectId, RunId
from assistants.domain.run import RunSettings, ThreadRunCreate
from assistants.domain.thread import Thread
from assistants.domain.tool import HostedToolName, ToolResources
from assistants.ports.chat_model import FinishDelta, ModelError, RefusalDelta, ToolCallDelta
from assistants.ports.hosted_tool import HostedTool, RunFailedError, ToolAnswer, ToolUse
from assistants.services.runs.settings import settings_of
from tests.support.api_client import Event
from tests.support.deployment import WEATHER, Deployment
from tests.support.fakes import FakeClock, Script
from tests.support.stream_reader import RUN_BEGINS, StreamReader, order
from tests.support.waiting import wait_until

SEARCH, CODE = {"type": "file_search"}, {"type": "code_interpreter"}
TOOLS = [SEARCH, CODE, WEATHER]
SEARCHES: Script = [ToolCallDelta(0, "a", "file_search", '{"queries": ["q"]}')]
RUNS_CODE: Script = [ToolCallDelta(0, "b", "code_interpreter", '{"code": "1"}')]


class PassageFinder(HostedTool):
    """Finds two passages for every call."""

    def __init__(self) -> None:
        self.prepared: list[RunSettings] = []
        self.trouble: Exception | None = None

    def prepare(self, project: ProjectId, run: RunSettings, **_: Any) -> None:
        self.prepared.append(run)
        if self.trouble is not None:
            raise self.trouble

    def answer(self, use: ToolUse) -> ToolAnswer:
        found = {
            f"{use.number}:{place}": Citation(
                FileId(f"file-{use.number}{place}"), f"passage {place}"
            )
            for place in range(2)
        }
        return ToolAnswer(output=" ".join(found), citations=found)


class Plotter(HostedTool):
    """Makes a table, and the same picture every time."""

    def answer(self, use: ToolUse) -> ToolAnswer:
        image = FileId("file-image")
        return ToolAnswer("done", files={"t.csv": FileId("file-t")}, images=(image,))


class Case:
    """A deployment with both tools, and the assistant that has them."""

    def __init__(self, *turns: Script, step: float = 0.0) -> None:
        self.passage_finder = PassageFinder()
        tools: dict[HostedToolName, Any] = {
            "file_search": self.passage_finder,
            "code_interpreter": Plotter(),
        }
        self.service = Deployment(*turns, tools=tools, clock=FakeClock(step=step))
        self.assistant_id = self.service.assistant(tools=TOOLS)

    def stream(self, thread_id: str | None = None) -> list[Event]:
        """Stream a run, check its events by the strict reader, and return them."""
        body = {"assistant_id": self.assistant_id}
        thread_id = thread_id or self.service.thread("Hello")
        events = self.service.api.stream(f"/threads/{thread_id}/runs", body)
        StreamReader().read(events[:-1])
        return events

    def message(self, thread_id: str | None = None) -> dict[str, Any]:
        """Stream a run; return its last message, which is stored as the stream has it."""
        events = self.stream(thread_id)
        done = [event.data for event in events if event.name in _MESSAGE_ENDS]
        found: dict[str, Any] = done[-1]
        stored = self.service.api.get(f"/threads/{found['thread_id']}/messages/{found['id']}")
        assert stored == found
        return found


_MESSAGE_ENDS = ("thread.message.completed", "thread.message.incomplete")


def text_of(message: dict[str, Any]) -> dict[str, Any]:
    [text] = [block["text"] for block in message["content"] if block["type"] == "text"]
    return dict(text)


@pytest.mark.parametrize("step", [0.0, 0.1])
def test_a_marker_that_the_model_copies_is_a_citation(step: float) -> None:
    case = Case(SEARCHES, ["It is so 【0:", "1†a.pdf】", ", I th", "ink 【5:5†a.pdf】."], step=step)
    text = text_of(case.message())
    assert text["value"] == "It is so 【0:1†a.pdf】, I think ."
    assert text["annotations"] == [
        {
            "type": "file_citation",
            "text": "【0:1†a.pdf】",
            "start_index": 9,
            "end_index": 20,
            "file_citation": {"file_id": "file-01", "quote": "passage 1"},
        }
    ]


WORDS = [
    "【",
    "0:0",
    "【0:1†a】",
    "【9:9】",
    "†",
    "】",
    LINK,
    f"{LINK}t.csv",
    "t.csv",
    " so.",
    "🙂",
]


@settings(max_examples=30)
@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=8), st.integers(1, 5))
def test_a_message_is_the_same_however_its_words_come(words: list[str], size: int) -> None:
    text = "".join(words)
    pieces = [text[start : start + size] for start in range(0, len(text), size)]
    both: Script = [*SEARCHES, ToolCallDelta(1, "b", "code_interpreter", '{"code": "1"}')]
    whole = Case(both, [text]).message()["content"]
    assert Case(both, [*pieces], step=0.1).message()["content"] == whole
    for annotation in whole[-1]["text"]["annotations"]:
        place = slice(annotation["start_index"], annotation["end_index"])
        assert whole[-1]["text"]["value"][place] == annotation["text"]


def test_annotations_are_numbered_within_their_block() -> None:
    case = Case(SEARCHES, ["【0:0】", "【0:1】", " and 【0:0】"], step=0.1)
    deltas = [
        event.data["delta"] for event in case.stream() if event.name.endswith("message.delta")
    ]
    texts = [block["text"] for delta in deltas for block in delta["content"]]
    numbers = [each["index"] for text in texts for each in text.get("annotations", ())]
    assert numbers == [0, 1, 2]
    assert len(texts) > 1


def test_every_call_of_a_run_has_its_own_markers() -> None:
    twice: Script = [*SEARCHES, ToolCallDelta(1, "c", "file_search", '{"queries": ["r"]}')]
    case = Case(twice, SEARCHES, ["【0:0】【1:0】【2:0】【3:0】"])
    cited = [each["file_citation"]["file_id"] for each in text_of(case.message())["annotations"]]
    assert cited == ["file-00", "file-10", "file-20"]
    contents = [message["content"] for message in case.service.model.requests[-1].messages]
    assert [content for content in contents if content and ":" in content] == [
        "0:0 0:1",
        "1:0 1:1",
        "2:0 2:1",
    ]


def test_files_are_linked_and_images_come_before_the_text() -> None:
    case = Case(RUNS_CODE, [f"[t]({LINK}t.csv) and {LINK}u.csv"], step=0.1)
    message = case.message()
    image, _ = message["content"]
    assert image == {
        "type": "image_file",
        "image_file": {"file_id": "file-image", "detail": "auto"},
    }
    [annotation] = text_of(message)["annotations"]
    assert annotation == {
        "type": "file_path",
        "text": f"{LINK}t.csv",
        "start_index": 4,
        "end_index": 27,
        "file_path": {"file_id": "file-t"},
    }


def test_an_image_is_shown_in_the_next_message_only() -> None:
    case = Case(RUNS_CODE, ["Look. ", *SEARCHES], ["Done."])
    made = [e.data["content"] for e in case.stream() if e.name == "thread.message.completed"]
    assert [[block["type"] for block in content] for content in made] == [
        ["image_file", "text"],
        ["text"],
    ]


def test_a_refusal_keeps_its_place_after_text_that_is_held_back() -> None:
    case = Case(["【0:0†", RefusalDelta("No.")])
    content = case.message()["content"]
    assert [block["type"] for block in content] == ["text", "refusal"]
    assert content[0]["text"]["value"] == ""


@pytest.mark.parametrize(
    ("script", "status"),
    [
        (["So 【0:0†a"], "completed"),
        (["So 【0:0†a", FinishDelta("length")], "incomplete"),
        (["So 【0:0†a", ModelError("server_error", "broken")], "incomplete"),
    ],
)
@pytest.mark.parametrize("step", [0.0, 0.1])
def test_half_a_marker_is_never_shown(script: Script, status: str, step: float) -> None:
    message = Case(SEARCHES, script, step=step).message()
    assert (text_of(message)["value"], message["status"]) == ("So ", status)


def test_half_a_marker_is_not_shown_by_a_run_that_is_cancelled() -> None:
    case = Case(SEARCHES, [], step=0.2)
    thread_id = case.service.thread("Hello")
    api, shown = case.service.api, f"/threads/{thread_id}/messages?run_id="

    def cancel() -> None:
        [run] = api.get(f"/threads/{thread_id}/runs")["data"]
        wait_until(lambda: api.get(shown + run["id"])["data"])
        case.service.cancel(run)

    case.service.model.turns[1] = [*(["So "] * 9), "【0:0", cancel, *(["†"] * 99)]
    message = case.message(thread_id)
    assert message["incomplete_details"] == {"reason": "run_cancelled"}
    assert set(text_of(message)["value"]) <= set("So ")


def test_what_was_held_back_is_kept_when_the_model_breaks_off() -> None:
    broken: Script = [f"Many thanks for {LINK[:9]}", ModelError("server_error", "broken")]
    message = Case(RUNS_CODE, broken, step=0.1).message()
    assert text_of(message)["value"] == f"Many thanks for {LINK[:9]}"


def test_markers_are_text_where_nothing_is_searched() -> None:
    service = Deployment(["【0:0†a】 【"])
    [message] = service.messages(service.run())
    assert text_of(message) == {"value": "【0:0†a】 【", "annotations": []}


def test_the_markers_of_an_earlier_run_do_not_reach_the_model() -> None:
    case = Case(SEARCHES, ["So it is【0:1†a.pdf】."], ["Yes."])
    thread_id = case.message()["thread_id"]
    case.stream(thread_id)
    contents = [message["content"] for message in case.service.model.requests[-1].messages]
    assert "So it is." in contents


def test_tools_are_prepared_once_before_the_model_is_asked() -> None:
    case = Case(SEARCHES, ["Found."])
    case.stream()
    [run] = case.passage_finder.prepared
    assert run.assistant_id == case.assistant_id


def test_a_run_fails_with_the_reason_that_its_tool_gives() -> None:
    case = Case(["never said"])
    case.passage_finder.trouble = RunFailedError("server_error", "The vector store has expired.")
    events = case.stream()
    assert order(events) == f"{RUN_BEGINS} run.failed done"
    assert events[-2].data["last_error"] == {
        "code": "server_error",
        "message": "The vector store has expired.",
    }
    assert case.service.model.requests == []


def test_a_tool_that_cannot_be_prepared_does_not_stop_the_run(
    caplog: pytest.LogCaptureFixture,
) -> None:
    case = Case(["Hello."])
    case.passage_finder.trouble = OSError("no connection")
    assert text_of(case.message())["value"] == "Hello."
    assert "a tool was not prepared" in caplog.text


FIRST: dict[str, Any] = {
    "code_interpreter": {"file_ids": ["file-1", "file-2"]},
    "file_search": {"vector_store_ids": ["vs_1"]},
}
SECOND: dict[str, Any] = {
    "code_interpreter": {"file_ids": ["file-2", "file-3"]},
    "file_search": {"vector_store_ids": ["vs_2"]},
}


@pytest.mark.parametrize(
    ("asked", "file_ids", "store_ids"),
    [
        (None, ["file-1", "file-2", "file-3"], ["vs_1", "vs_2"]),
        (
            {"file_search": {"vector_store_ids": ["vs_3"]}},
            ["file-1", "file-2", "file-3"],
            ["vs_3", "vs_2"],
        ),
        ({"code_interpreter": {"file_ids": []}}, ["file-2", "file-3"], ["vs_1", "vs_2"]),
    ],
)
def test_a_run_may_use_what_its_assistant_or_its_request_and_its_thread_have(
    asked: Any, file_ids: list[str], store_ids: list[str]
) -> None:
    assistant = Assistant(
        id="asst_1",
        created_at=1,
        model="m",
        tool_resources=ToolResources.model_validate(FIRST),
    )
    thread = Thread(id="thread_1", created_at=1, tool_resources=SECOND)
    body = ThreadRunCreate.model_validate({"assistant_id": "asst_1", "tool_resources": asked})
    settings = settings_of(assistant, body, thread, RunId("run_1"), 1)
    assert settings.file_ids == file_ids
    assert settings.vector_store_ids == store_ids


def test_what_a_run_may_use_is_not_shown() -> None:
    case = Case(SEARCHES, ["Found."])
    created = case.stream()[0].data
    assert not {"file_ids", "vector_store_ids"} & set(created)
