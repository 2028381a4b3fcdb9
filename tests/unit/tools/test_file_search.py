"""The tool file_search of a run: a real index, and the service over fakes."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from assistants.domain.model import Catalog
from assistants.domain.model_route import ModelRoute
from assistants.domain.retrieval.passage import Chunk
from assistants.ports.chat_model import ToolCallDelta
from assistants.services.tools.file_search import INDEXING_SECONDS, queries_in
from tests.support.deployment import path
from tests.support.fakes import Script
from tests.support.file_search_deployment import FileSearchDeployment
from tests.support.hashing import HashingEmbedder

INCLUDE = "step_details.tool_calls[*].file_search.results[*].content"
EMBEDDER = HashingEmbedder()
CAT, DOG, TRAIN = "The cat sleeps on the sofa.", "Dogs bark at night.", "The train leaves at noon."


def calls(*queries: str) -> Script:
    return [ToolCallDelta(0, "a", "file_search", json.dumps({"queries": queries}))]


class Case:
    """An assistant with one vector store, and what was put into it."""

    def __init__(self, folder: Path, *turns: Script, model: str = "demo", **options: Any) -> None:
        catalog = Catalog({"*": ModelRoute(provider="demo")}, endpoint_configured=False)
        self.service = FileSearchDeployment(folder, *turns, catalog=catalog)
        self.index = self.service.index
        self.store_id = self.service.vector_store()
        self.assistant_id = self.service.assistant(
            model=model,
            tools=[{"type": "file_search", "file_search": options}],
            tool_resources={"file_search": {"vector_store_ids": [self.store_id]}},
        )

    def put(
        self, *texts: str, store_id: str = "", name: str = "a.txt", pages: Sequence[Any] = ()
    ) -> str:
        """Add a file with these passages to a store and index it; return its id."""
        file_id = self.service.file("...", name)
        url = f"/vector_stores/{store_id or self.store_id}/files"
        self.service.api.post(url, {"file_id": file_id})
        places = [*pages, *[None] * len(texts)]
        chunks = [Chunk(n, text, 0, len(text), places[n]) for n, text in enumerate(texts)]
        repository = self.service.backend.vector_stores.file_repository
        file = repository.load(self.service.index_queue.sent[-1])
        assert file is not None
        assert repository.plan(file, len(texts))
        self.index.put(file.document, chunks, EMBEDDER.documents(texts))
        assert repository.complete(file, 1)
        return file_id

    def thread_with_file(self) -> str:
        """Create a thread whose own store holds a file that is still to be indexed."""
        store_id = self.service.vector_store(self.service.file())
        resources = {"file_search": {"vector_store_ids": [store_id]}}
        return str(self.service.api.post("/threads", {"tool_resources": resources})["id"])

    def run(self, thread_id: str | None = None) -> dict[str, Any]:
        return self.service.run(thread_id, assistant_id=self.assistant_id)

    @property
    def output(self) -> str:
        """The output of the last call, as the model reads it."""
        return str(self.service.model.requests[-1].messages[-1]["content"])


def test_the_model_reads_passages_with_markers_and_cites_them(tmp_path: Path) -> None:
    case = Case(tmp_path, calls("cat sofa"), ["It sleeps 【0:0†report.pdf】."])
    file_id = case.put(CAT, DOG, name="report.pdf", pages=[(3, 3), (4, 5)])
    run = case.run()
    assert run["status"] == "completed", run["last_error"]
    assert case.output.startswith(f"【0:0†report.pdf】\npage 3\n{CAT}")
    [message] = case.service.messages(run)
    [annotation] = message["content"][0]["text"]["annotations"]
    assert annotation["file_citation"] == {"file_id": file_id, "quote": CAT}


def test_the_step_shows_results_and_their_content_only_if_asked_for(tmp_path: Path) -> None:
    case = Case(tmp_path, calls("cat sofa"), ["Well."], max_num_results=1)
    file_id = case.put(CAT, DOG)
    run = case.run()
    url = f"/threads/{run['thread_id']}/runs/{run['id']}/steps"
    search, _ = case.service.api.get(f"{url}?order=asc")["data"]
    [call] = search["step_details"]["tool_calls"]
    [result] = call["file_search"]["results"]
    assert set(result) == {"file_id", "file_name", "score"}
    assert (result["file_id"], result["file_name"]) == (file_id, "a.txt")
    assert 0 < result["score"] <= 1
    assert call["file_search"]["ranking_options"] == {"ranker": "auto", "score_threshold": 0.0}
    shown = case.service.api.get(f"{url}/{search['id']}?include[]={INCLUDE}")
    [result] = shown["step_details"]["tool_calls"][0]["file_search"]["results"]
    assert result["content"] == [{"type": "text", "text": CAT}]


@pytest.mark.parametrize("include", ["", f"?include[]={INCLUDE}"])
def test_a_stream_shows_content_only_if_asked_for(tmp_path: Path, include: str) -> None:
    case = Case(tmp_path, calls("cat sofa"), ["Well."])
    case.put(CAT)
    body = {"assistant_id": case.assistant_id}
    thread_id = case.service.thread("Hello")
    events = case.service.api.stream(f"/threads/{thread_id}/runs{include}", body)
    steps = [json.dumps(event.data) for event in events if "step." in event.name]
    assert any("a.txt" in data for data in steps)
    assert any(CAT in data for data in steps) == bool(include)
    [run] = case.service.api.get(f"/threads/{thread_id}/runs")["data"]
    resumed = case.service.api.request("GET", f"{path(run)}/events{include}").events
    assert resumed == events


def test_assistant_and_thread_are_searched_together(tmp_path: Path) -> None:
    case = Case(tmp_path, calls("train noon", "cat sofa"), ["Well."], max_num_results=2)
    other = case.service.vector_store()
    case.put(CAT)
    case.put(TRAIN, store_id=other, name="b.txt")
    resources = {"file_search": {"vector_store_ids": [other]}}
    thread = {"messages": [{"role": "user", "content": "?"}], "tool_resources": resources}
    case.run(case.service.api.post("/threads", thread)["id"])
    assert CAT in case.output
    assert TRAIN in case.output


def test_results_below_the_threshold_are_left_out(tmp_path: Path) -> None:
    ranking = {"ranker": "auto", "score_threshold": 1.0}
    case = Case(tmp_path, calls("train"), ["Well."], ranking_options=ranking)
    case.put(CAT, DOG)
    case.run()
    assert case.output == "No passage was found."


@pytest.mark.parametrize(("model", "results"), [("gpt-3.5-turbo", 5), ("gpt-4o", 20)])
def test_so_many_results_are_given_as_the_original_gave(
    tmp_path: Path, model: str, results: int
) -> None:
    case = Case(tmp_path, calls("cat"), ["Well."], model=model)
    case.put(*(f"cat {number}" for number in range(30)))
    case.run()
    assert case.output.count("【") == results


def test_the_passages_that_do_not_fit_the_budget_are_left_out(tmp_path: Path) -> None:
    case = Case(tmp_path, calls("cat"), ["Well."])
    case.put(*(f"cat {number} " + "and " * 999 for number in range(20)))
    run = case.run()
    shown = case.output.count("【")
    assert 10 < shown < 20
    [step, _] = case.service.steps(run)
    assert len(step["step_details"]["tool_calls"][0]["file_search"]["results"]) == shown


def test_the_best_passage_is_given_even_if_it_is_beyond_the_budget(tmp_path: Path) -> None:
    case = Case(tmp_path, calls("cat"), ["Well."], model="gpt-3.5-turbo")
    case.put("cat " + "and " * 4_090, "cat")
    case.run()
    assert case.output.count("【") == 1


def test_a_marker_in_a_file_cites_nothing(tmp_path: Path) -> None:
    case = Case(tmp_path, calls("cat"), ["Well."])
    case.put("cat 【0:7†other.pdf】", name="【0:3†x】.txt")
    case.run()
    assert case.output == "【0:0† 0:3†x .txt】\ncat "


@pytest.mark.parametrize(
    "text", ["cat 【0:【1:1】7†b】", "cat 【0:7†b【0:1】b】", "cat 【0:【0:【1:1】1】7】"]
)
def test_a_marker_that_is_hidden_in_another_cites_nothing(tmp_path: Path, text: str) -> None:
    case = Case(tmp_path, calls("cat"), ["Well."])
    case.put(text)
    case.run()
    assert re.findall(r"【[0-9]+:[0-9]+[^【】]*】", case.output) == ["【0:0†a.txt】"]


@pytest.mark.parametrize(
    "arguments",
    ["", "{", "[1]", "{}", '{"queries": []}', '{"queries": 1}', "[" * 99_999, '["\\ud800"]'],
    ids=lambda arguments: arguments[:16],
)
def test_arguments_that_cannot_be_read_are_answered_with_their_form(
    tmp_path: Path, arguments: str
) -> None:
    case = Case(tmp_path, [ToolCallDelta(0, "a", "file_search", arguments)], ["Well."])
    run = case.run()
    assert run["status"] == "completed"
    assert case.output.startswith("Nothing was searched: call file_search with")


@pytest.mark.parametrize(
    ("arguments", "queries"),
    [
        ('{"queries": ["a", " ", "b"]}', ["a", "b"]),
        ('{"queries": "a"}', ["a"]),
        ('{"query": "a"}', ["a"]),
        ('"a"', ["a"]),
        ('["a"]', ["a"]),
        ('{"queries": ["a", 1]}', []),
        (json.dumps(["a"] * 16), ["a"] * 16),
        (json.dumps(["a"] * 17), []),
        (json.dumps(["a" * 4_097]), []),
    ],
)
def test_what_models_write_in_place_of_queries_is_understood(
    arguments: str, queries: list[str]
) -> None:
    assert queries_in(arguments) == queries


def test_without_a_store_nothing_is_searched(tmp_path: Path) -> None:
    case = Case(tmp_path, calls("cat"), ["Well."])
    case.assistant_id = case.service.assistant(tools=[{"type": "file_search"}])
    assert case.run()["status"] == "completed"
    assert case.output == "Nothing was searched: there is no vector store to search in."


def test_a_run_fails_when_a_store_has_expired(tmp_path: Path) -> None:
    case = Case(tmp_path, ["never said"])
    days = {"anchor": "last_active_at", "days": 1}
    case.service.api.post(f"/vector_stores/{case.store_id}", {"expires_after": days})
    case.service.clock.now += 2 * 24 * 3600
    run = case.run()
    assert run["status"] == "failed"
    assert run["last_error"]["code"] == "server_error"
    assert case.store_id in run["last_error"]["message"]
    assert "expired" in run["last_error"]["message"]


def test_the_model_reads_that_a_store_was_deleted_during_the_run(tmp_path: Path) -> None:
    case = Case(tmp_path, [], ["Well."])
    case.service.model.turns[0] = [
        lambda: case.service.api.delete(f"/vector_stores/{case.store_id}"),
        *calls("cat"),
    ]
    assert case.run()["status"] == "completed"
    assert case.output.startswith("Nothing was searched: No vector store found")


def test_a_run_keeps_its_stores_alive(tmp_path: Path) -> None:
    case = Case(tmp_path, ["Hello."])
    case.service.clock.now += 3600
    case.run()
    store = case.service.api.get(f"/vector_stores/{case.store_id}")
    assert store["last_active_at"] == int(case.service.clock.now)


def test_the_index_is_woken_for_a_run_that_may_search(tmp_path: Path) -> None:
    case = Case(tmp_path, ["Hello."])
    woken: list[bool] = []
    case.index.wake = lambda: woken.append(True)  # type: ignore[method-assign]
    object.__setattr__(case.service.backend.tools.file_search, "background", lambda work: work())
    case.run()
    assert woken == [True]


def test_a_run_waits_a_minute_for_files_of_its_thread(tmp_path: Path) -> None:
    case = Case(tmp_path, ["Hello."])
    thread_id = case.thread_with_file()
    began = case.service.clock.now
    assert case.run(thread_id)["status"] == "completed"
    assert case.service.clock.now - began == INDEXING_SECONDS


def test_a_run_waits_no_longer_than_its_files_need(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = Case(tmp_path, ["Hello."])
    thread_id = case.thread_with_file()
    repository = case.service.backend.vector_stores.file_repository
    [entry] = case.service.index_queue.sent
    began = case.service.clock.now

    def index_after_a_while(seconds: float) -> None:
        case.service.clock.now += seconds
        if case.service.clock.now >= began + 5:
            file = repository.load(entry)
            assert file is not None
            repository.complete(file, 26)

    monkeypatch.setattr(case.service.clock, "sleep", index_after_a_while)
    case.run(thread_id)
    assert case.service.clock.now == began + 5


def test_a_cancel_ends_the_wait_for_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case = Case(tmp_path, ["never said"])
    thread_id = case.thread_with_file()

    def cancel(_: float) -> None:
        [run] = case.service.api.get(f"/threads/{thread_id}/runs")["data"]
        case.service.cancel(run)

    monkeypatch.setattr(case.service.clock, "sleep", cancel)
    assert case.run(thread_id)["status"] == "cancelled"
    assert case.service.model.requests == []
