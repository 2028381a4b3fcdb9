"""File search through the official SDK, from files to citations; and tenants, kept apart."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import apsw
import openai
import pytest
from openai import OpenAI

from infra.local import LocalStack, search
from tests.e2e.fixture_types import MakeAssistant
from tests.e2e.leftovers import leftovers
from tests.e2e.manuals import DOCX, PAGE, PDF, SEARCH, Manuals, ask, check_citations
from tests.support import samples
from tests.support.hostile_files import HOSTILE, pdf_bomb
from tests.support.model_server import Calls, ModelServer, Text

CAT = "What is the cat of the lighthouse keeper called?"
MAX_UPLOAD = 4_000_000


@pytest.fixture
def manuals(client: OpenAI) -> Iterator[Manuals]:
    manuals = Manuals.of(client)
    yield manuals
    manuals.close()


def test_the_demo_model_answers_from_files_and_cites_them(manuals: Manuals) -> None:
    answer = ask(manuals, "demo", CAT)
    assert "Ahab 🐈" in answer.text.value
    assert check_citations(manuals, answer)[0] == "lighthouse.html"


def test_a_model_cites_what_it_was_shown_and_nothing_else(
    manuals: Manuals, model_server: ModelServer
) -> None:
    model = model_server.script(
        Calls(file_search={"queries": ["Which part is the toner?", "the cat of the keeper"]}),
        Text("Order 🙂 TN-4400【0:", "0†", "x】 and feed Ahab【0:1】, not【7:7†nothing】 both."),
    )
    answer = ask(manuals, model.name, "What should I do?")
    (shown,) = [
        message["content"]
        for message in model.requests[1].body["messages"]
        if message["role"] == "tool"
    ]
    assert "【0:0†" in shown
    assert "TN-4400" in shown
    assert len(check_citations(manuals, answer)) == 2
    assert answer.text.value.endswith(", not both.")


def test_steps_show_what_was_found_and_its_text_if_asked(manuals: Manuals) -> None:
    answer = ask(manuals, "demo", CAT)
    (details,) = [s.step_details for s in answer.steps if s.step_details.type == "tool_calls"]
    found = details.tool_calls[0].file_search
    assert found.ranking_options.score_threshold == 0
    assert found.results[0].file_name == "lighthouse.html"
    assert found.results[0].file_id == manuals.files["lighthouse.html"]
    assert 0 <= found.results[-1].score <= found.results[0].score <= 1
    assert "Ahab" in found.results[0].content[0].text


def test_attributes_narrow_a_search(manuals: Manuals) -> None:
    manuals.label(PDF.name, kind="manual", year=2024)
    manuals.label(DOCX.name, kind="manual", year=1999, draft=True)
    manuals.label("lighthouse.html", kind="story")

    def found(filters: dict[str, Any]) -> set[str]:
        return set(manuals.search("printer toner cat", filters=filters))

    manual = {"type": "eq", "key": "kind", "value": "manual"}
    recent = {"type": "gte", "key": "year", "value": 2000}
    draft = {"type": "eq", "key": "draft", "value": True}
    assert found(manual) == {PDF.name, DOCX.name}
    assert found({"type": "and", "filters": [manual, recent]}) == {PDF.name}
    assert found({"type": "or", "filters": [draft, {**manual, "type": "ne"}]}) == {
        DOCX.name,
        "lighthouse.html",
    }
    assert found({"type": "in", "key": "year", "value": [1999, 3000]}) == {DOCX.name}
    assert found({**manual, "value": "*"}) == set()


def test_a_search_takes_several_queries_a_limit_and_a_threshold(manuals: Manuals) -> None:
    client, store = manuals.client, manuals.store_id
    both = client.vector_stores.search(store, query=["cat of the keeper", "paper jams"])
    assert {result.filename for result in both} == {*manuals.files}
    one = client.vector_stores.search(store, query=CAT, max_num_results=1)
    assert [result.filename for result in one] == ["lighthouse.html"]
    ranking: Any = {"ranker": "auto", "score_threshold": 0.99}
    assert manuals.search("unrelated words", ranking_options=ranking) == []


def harmful() -> list[tuple[str, bytes]]:
    """Make the hostile files that cost their parser a moment; tests/abuse tries the others, too."""
    made = [(name, make()) for name, make, why in HOSTILE if "time or memory" not in why]
    others = [("bomb.pdf", pdf_bomb()), ("program.exe", b"MZ"), ("blank.txt", b" ")]
    return [
        (f"{number}-{name}", content)
        for number, (name, content) in enumerate([*made, *others])
        if 0 < len(content) < MAX_UPLOAD
    ]


def test_files_made_to_harm_fail_while_their_neighbours_complete(client: OpenAI) -> None:
    store = client.vector_stores.create()
    files = harmful()
    assert len(files) > 30
    batch = client.vector_stores.file_batches.upload_and_poll(
        store.id, files=[*files, PAGE, PDF], poll_interval_ms=500, max_concurrency=2
    )
    assert (batch.file_counts.completed, batch.file_counts.failed) == (2, len(files))
    for file in client.vector_stores.files.list(store.id, filter="failed", limit=100):
        assert file.last_error is not None
        assert file.last_error.code in ("unsupported_file", "invalid_file")
        assert len(file.last_error.message.split()) > 3
    found = client.vector_stores.search(store.id, query=CAT)
    assert next(iter(found)).filename == "lighthouse.html"
    client.vector_stores.delete(store.id)


def test_a_long_text_in_one_line_is_searched_to_its_end(client: OpenAI) -> None:
    store = client.vector_stores.create()
    line = " ".join(f"word{number}" for number in range(400)) + " The parrot is called Ada."
    client.vector_stores.files.upload_and_poll(
        vector_store_id=store.id, file=("line.txt", line.encode()), poll_interval_ms=200
    )
    best = next(iter(client.vector_stores.search(store.id, query="What is the parrot called?")))
    assert best.content[0].text.endswith("The parrot is called Ada.")
    client.vector_stores.delete(store.id)


def test_another_tenants_files_and_stores_do_not_exist(
    other_client: OpenAI, manuals: Manuals
) -> None:
    store_id, file_id = manuals.store_id, manuals.files[PDF.name]
    own = other_client.vector_stores.create()
    others = other_client.vector_stores
    beta = other_client.beta
    attempts: list[Callable[[], object]] = [
        lambda: others.retrieve(store_id),
        lambda: others.update(store_id, name="mine"),
        lambda: others.delete(store_id),
        lambda: others.search(store_id, query=CAT),
        lambda: others.files.list(store_id),
        lambda: others.files.retrieve(file_id, vector_store_id=store_id),
        lambda: others.files.content(file_id, vector_store_id=store_id),
        lambda: others.files.update(file_id, vector_store_id=store_id, attributes={"a": "b"}),
        lambda: others.files.delete(file_id, vector_store_id=store_id),
        lambda: others.files.create(own.id, file_id=file_id),
        lambda: others.file_batches.create(store_id, file_ids=[file_id]),
        lambda: others.create(file_ids=[file_id]),
        lambda: beta.assistants.create(
            model="demo",
            tools=[SEARCH],
            tool_resources={"file_search": {"vector_store_ids": [store_id]}},
        ),
        lambda: beta.threads.create(
            tool_resources={"file_search": {"vector_store_ids": [store_id]}}
        ),
        lambda: beta.threads.create(
            messages=[
                {
                    "role": "user",
                    "content": "?",
                    "attachments": [{"file_id": file_id, "tools": [SEARCH]}],
                }
            ]
        ),
    ]
    for attempt in attempts:
        with pytest.raises(openai.NotFoundError):
            attempt()
    assert manuals.search(CAT)[0] == "lighthouse.html"


def test_the_same_file_of_two_tenants_is_found_by_each_alone(
    other_client: OpenAI, manuals: Manuals
) -> None:
    other = Manuals.of(other_client)
    manuals.label("lighthouse.html", tenant="one")
    other.label("lighthouse.html", tenant="two")
    for mine, theirs in ((manuals, "two"), (other, "one")):
        for kind in ("eq", "gte"):
            filters: Any = {"type": kind, "key": "tenant", "value": theirs}
            found = mine.client.vector_stores.search(mine.store_id, query=CAT, filters=filters)
            assert not [one for one in found if one.attributes == {"tenant": theirs}]
        ids = {one.file_id for one in mine.client.vector_stores.search(mine.store_id, query=CAT)}
        assert ids <= set(mine.files.values())
    other.close()


def test_deleted_manuals_leave_nothing(
    client: OpenAI, stack: LocalStack, api_key: str, make_assistant: MakeAssistant
) -> None:
    manuals = Manuals.of(client)
    assert leftovers(stack, api_key).objects
    project = leftovers(stack, api_key).rows[0].split("#")[1]
    assert chunks_of(stack, project) == 3
    manuals.close()
    until = time.monotonic() + 30
    while chunks_of(stack, project) or leftovers(stack, api_key).objects:
        assert time.monotonic() < until
        time.sleep(0.1)


def chunks_of(stack: LocalStack, project: str) -> int:
    """Return what the embedded index holds of a tenant."""
    path = search.endpoints[stack.account].removeprefix("sqlite:")
    index = apsw.Connection(path, flags=apsw.SQLITE_OPEN_READONLY)
    count: int = index.execute(
        "SELECT count(*) FROM chunks JOIN documents ON documents.id = chunks.document "
        "WHERE project = ?",
        (project,),
    ).get
    index.close()
    return count


def test_a_deleted_file_is_not_found_any_more(client: OpenAI, manuals: Manuals) -> None:
    client.files.delete(manuals.files["lighthouse.html"])
    until = time.monotonic() + 30
    while "lighthouse.html" in manuals.search(CAT):
        assert time.monotonic() < until
        time.sleep(0.1)
    del manuals.files["lighthouse.html"]
    assert client.vector_stores.retrieve(manuals.store_id).file_counts.total == 2


def test_a_scanned_pdf_fails_in_words_that_say_why(client: OpenAI) -> None:
    store = client.vector_stores.create()
    file = client.vector_stores.files.upload_and_poll(
        vector_store_id=store.id,
        file=("scan.pdf", samples.pdf(["", ""])),
        poll_interval_ms=200,
    )
    assert file.status == "failed"
    assert file.last_error is not None
    assert "only pictures" in file.last_error.message
    client.vector_stores.delete(store.id)
