"""Vector stores and their files, over fakes and a real embedded index."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from assistants.domain.ids import VectorStoreId
from assistants.domain.vector_store import DAY_SECONDS, MAX_FILES
from assistants.services.storage import keys
from tests.support.api_client import Client
from tests.support.deployment import Deployment
from tests.support.file_search_deployment import FileSearchDeployment

STATIC = {
    "type": "static",
    "static": {"max_chunk_size_tokens": 100, "chunk_overlap_tokens": 20},
}
AUTO = {"type": "static", "static": {"max_chunk_size_tokens": 800, "chunk_overlap_tokens": 400}}
EXPIRES = {"anchor": "last_active_at", "days": 2}
FILE_X = {"file_id": "file-x"}
NOTHING = {"in_progress": 0, "completed": 0, "failed": 0, "cancelled": 0, "total": 0}


@pytest.fixture
def deployment(tmp_path: Path) -> FileSearchDeployment:
    return FileSearchDeployment(tmp_path)


def counts(deployment: FileSearchDeployment, store_id: str) -> dict[str, int]:
    """Of the store, without what is zero."""
    found = deployment.api.get(deployment.url(store_id))["file_counts"]
    return {name: count for name, count in found.items() if count}


def attach(
    deployment: FileSearchDeployment, store_id: str, file_id: str, **members: Any
) -> dict[str, Any]:
    url = deployment.url(store_id, "files")
    found: dict[str, Any] = deployment.api.post(url, {"file_id": file_id, **members})
    return found


def search(
    deployment: FileSearchDeployment, store_id: str, query: Any = "parrot", **members: Any
) -> Any:
    return deployment.api.post(deployment.url(store_id, "search"), {"query": query, **members})


def found_files(deployment: FileSearchDeployment, store_id: str, **members: Any) -> list[str]:
    return [hit["file_id"] for hit in search(deployment, store_id, **members)["data"]]


def test_a_store_shows_every_member_with_its_default(deployment: FileSearchDeployment) -> None:
    store = deployment.api.post("/vector_stores")
    now = int(deployment.clock.now)
    assert store == {
        "id": store["id"],
        "object": "vector_store",
        "created_at": now,
        "name": None,
        "description": None,
        "usage_bytes": 0,
        "file_counts": NOTHING,
        "status": "completed",
        "expires_after": None,
        "expires_at": None,
        "last_active_at": now,
        "metadata": {},
    }
    assert store["id"].startswith("vs_")
    assert deployment.api.get(deployment.url(store["id"])) == store
    assert deployment.api.get("/vector_stores")["data"] == [store]


def test_a_store_is_kept_as_it_was_given(deployment: FileSearchDeployment) -> None:
    given = {
        "name": "Manuals",
        "description": "All of them",
        "metadata": {"team": "blue"},
        "expires_after": EXPIRES,
    }
    store = deployment.api.post("/vector_stores", given)
    assert {name: store[name] for name in given} == given
    assert store["expires_at"] == store["last_active_at"] + 2 * DAY_SECONDS


def test_null_means_not_given(deployment: FileSearchDeployment) -> None:
    body = {"name": None, "metadata": None, "expires_after": None, "chunking_strategy": None}
    store = deployment.api.post("/vector_stores", body)
    assert (store["name"], store["metadata"], store["expires_after"]) == (None, {}, None)


def test_stores_are_listed_newest_first_in_pages(deployment: FileSearchDeployment) -> None:
    made = [deployment.vector_store(name=str(number)) for number in range(5)]
    first = deployment.api.get("/vector_stores?limit=2")
    assert [store["id"] for store in first["data"]] == [made[4], made[3]]
    assert first["has_more"]
    second = deployment.api.get(f"/vector_stores?limit=3&after={first['last_id']}")
    assert [store["id"] for store in second["data"]] == [made[2], made[1], made[0]]
    assert not second["has_more"]
    before = deployment.api.get(f"/vector_stores?limit=1&before={made[1]}")
    assert [store["id"] for store in before["data"]] == [made[2]]
    assert deployment.api.get(f"/vector_stores?after={made[0]}")["data"] == []


def test_a_listed_store_counts_its_own_files(deployment: FileSearchDeployment) -> None:
    full, empty = deployment.vector_store(deployment.file()), deployment.vector_store()
    listed = {store["id"]: store for store in deployment.api.get("/vector_stores")["data"]}
    assert listed[full] == deployment.api.get(deployment.url(full))
    assert (listed[full]["file_counts"]["total"], listed[empty]["file_counts"]["total"]) == (1, 0)


def test_only_the_named_member_changes_and_null_clears(deployment: FileSearchDeployment) -> None:
    store_id = deployment.vector_store(name="A", expires_after=EXPIRES, metadata={"a": "b"})
    url = deployment.url(store_id)
    before = deployment.api.get(url)
    renamed = deployment.api.post(url, {"name": "B", "metadata": None})
    assert renamed == {**before, "name": "B"}
    cleared = deployment.api.post(url, {"name": None, "expires_after": None})
    assert cleared == {**before, "name": None, "expires_after": None, "expires_at": None}
    assert deployment.api.post(url, {"metadata": {}})["metadata"] == {}
    assert deployment.api.get(url) == {**cleared, "metadata": {}}


def test_a_file_is_completed_when_it_can_be_found(deployment: FileSearchDeployment) -> None:
    store_id, file_id = deployment.vector_store(), deployment.file()
    file = attach(deployment, store_id, file_id)
    assert file == {
        "id": file_id,
        "object": "vector_store.file",
        "usage_bytes": 0,
        "created_at": int(deployment.clock.now),
        "vector_store_id": store_id,
        "status": "in_progress",
        "last_error": None,
        "chunking_strategy": AUTO,
        "attributes": {},
    }
    assert deployment.api.get(deployment.url(store_id))["status"] == "in_progress"
    assert found_files(deployment, store_id) == []
    deployment.ingest()
    done = deployment.api.get(deployment.url(store_id, "files", file_id))
    assert done == {**file, "status": "completed", "usage_bytes": done["usage_bytes"]}
    store = deployment.api.get(deployment.url(store_id))
    assert (store["status"], store["file_counts"]) == (
        "completed",
        {**NOTHING, "completed": 1, "total": 1},
    )
    assert store["usage_bytes"] == done["usage_bytes"] > 0
    assert found_files(deployment, store_id) == [file_id]


@pytest.mark.parametrize("path", ["", "/files/{file}", "/file_batches/{batch}"])
def test_a_poller_learns_when_to_ask_again(deployment: FileSearchDeployment, path: str) -> None:
    file_id = deployment.file()
    store_id = deployment.vector_store(file_id)
    batches = deployment.url(store_id, "file_batches")
    batch = deployment.api.post(batches, {"file_ids": [file_id]})["id"]
    url = deployment.url(store_id) + path.format(file=file_id, batch=batch)
    answer = deployment.api.request("GET", url)
    assert ("openai-poll-after-ms" in answer.headers) == bool(path)


def test_what_cannot_be_read_fails_and_its_neighbours_complete(
    deployment: FileSearchDeployment,
) -> None:
    bad, good = deployment.file(name="a.bin"), deployment.file()
    store_id = deployment.vector_store(bad, good)
    deployment.ingest()
    failed = deployment.api.get(deployment.url(store_id, "files", bad))
    assert failed["status"] == "failed"
    assert failed["last_error"] == {
        "code": "unsupported_file",
        "message": "Files with extensions [.bin] are not read.",
    }
    assert counts(deployment, store_id) == {"completed": 1, "failed": 1, "total": 2}


def test_chunks_are_cut_as_it_was_asked_for(deployment: FileSearchDeployment) -> None:
    text = "word " * 900
    small, usual = deployment.file(text), deployment.file(text)
    store_id = deployment.vector_store(small, chunking_strategy=STATIC)
    attach(deployment, store_id, usual, chunking_strategy={"type": "auto"})
    listed = deployment.api.get(deployment.url(store_id, "files"))["data"]
    assert {file["id"]: file["chunking_strategy"] for file in listed} == {
        small: STATIC,
        usual: AUTO,
    }
    deployment.ingest()
    assert deployment.indexed() == 11 + 2


def static(size: int, overlap: int) -> dict[str, Any]:
    sizes = {"max_chunk_size_tokens": size, "chunk_overlap_tokens": overlap}
    return {"chunking_strategy": {"type": "static", "static": sizes}}


def weights(embedding: float, text: float) -> dict[str, Any]:
    both = {"embedding_weight": embedding, "text_weight": text}
    return {"ranking_options": {"hybrid_search": both}}


TOO_MUCH: list[tuple[str, dict[str, Any], str, str]] = [
    ("", {"chunking_strategy": {"type": "auto"}}, "chunking_strategy", "invalid_value"),
    ("", {"file_ids": ["file-x"] * 501}, "file_ids", "array_above_max_length"),
    (
        "",
        {"expires_after": {**EXPIRES, "days": 0}},
        "expires_after.days",
        "integer_below_min_value",
    ),
    (
        "",
        {"expires_after": {**EXPIRES, "days": 999}},
        "expires_after.days",
        "integer_above_max_value",
    ),
    ("", {"expires_after": {"anchor": "x", "days": 1}}, "expires_after.anchor", "invalid_value"),
    ("", {"metadata": {f"{n}": "" for n in range(17)}}, "metadata", "object_above_max_properties"),
    ("", {"name": "x" * 257}, "name", "string_above_max_length"),
    ("", {"other": 1}, "other", "unknown_parameter"),
    ("/files", {}, "file_id", "missing_required_parameter"),
    ("/files", {"file_id": "x"}, "file_id", "invalid_value"),
    ("/files", {"attributes": {"a": None}}, "attributes.a", "invalid_type"),
    ("/files", {"attributes": {"a": "x" * 513}}, "attributes.a", "string_above_max_length"),
    ("/files", {"attributes": {"a" * 65: 1}}, f"attributes.{'a' * 65}", "string_above_max_length"),
    (
        "/files",
        {"attributes": {f"{n}": 1 for n in range(17)}},
        "attributes",
        "object_above_max_properties",
    ),
    ("/files", {"chunking_strategy": {"type": "x"}}, "chunking_strategy.type", "invalid_value"),
    (
        "/files",
        static(99, 0),
        "chunking_strategy.static.max_chunk_size_tokens",
        "integer_below_min_value",
    ),
    (
        "/files",
        static(4097, 0),
        "chunking_strategy.static.max_chunk_size_tokens",
        "integer_above_max_value",
    ),
    ("/files", static(100, 51), "chunking_strategy.static", "invalid_value"),
    ("/file_batches", {}, "file_ids", "missing_required_parameter"),
    (
        "/file_batches",
        {"file_ids": ["file-x"], "files": [FILE_X]},
        "file_ids",
        "missing_required_parameter",
    ),
    ("/file_batches", {"file_ids": []}, "file_ids", "array_below_min_length"),
    ("/file_batches", {"file_ids": ["file-x"] * 2001}, "file_ids", "array_above_max_length"),
    ("/file_batches", {"files": [{**FILE_X, "extra": 1}]}, "files[0].extra", "unknown_parameter"),
    ("/search", {}, "query", "missing_required_parameter"),
    ("/search", {"query": []}, "query", "array_below_min_length"),
    ("/search", {"query": ["a"] * 17}, "query", "array_above_max_length"),
    ("/search", {"query": "a" * 4097}, "query", "string_above_max_length"),
    (
        "/search",
        {"query": "a", "max_num_results": 51},
        "max_num_results",
        "integer_above_max_value",
    ),
    ("/search", {"query": "a", "max_num_results": 0}, "max_num_results", "integer_below_min_value"),
    (
        "/search",
        {"query": "a", "ranking_options": {"ranker": "x"}},
        "ranking_options.ranker",
        "invalid_value",
    ),
    (
        "/search",
        {"query": "a", "ranking_options": {"score_threshold": 1.5}},
        "ranking_options.score_threshold",
        "decimal_above_max_value",
    ),
    ("/search", {"query": "a", **weights(0, 0)}, "ranking_options.hybrid_search", "invalid_value"),
    (
        "/search",
        {"query": "a", "filters": {"type": "like", "key": "a"}},
        "filters.type",
        "invalid_value",
    ),
]


@pytest.mark.parametrize(("url", "body", "param", "code"), TOO_MUCH)
def test_what_is_beyond_a_limit_is_refused_by_name(
    deployment: FileSearchDeployment, url: str, body: dict[str, Any], param: str, code: str
) -> None:
    base = deployment.url(deployment.vector_store()) if url else "/vector_stores"
    if url == "/files" and body:
        body = {**FILE_X, **body}
    refused = deployment.api.request("POST", base + url, body)
    assert (refused.status, refused.error["param"], refused.error["code"]) == (400, param, code)


def test_a_file_that_does_not_exist_is_refused_and_nothing_is_made(
    deployment: FileSearchDeployment,
) -> None:
    store_id, there = deployment.vector_store(), deployment.file()
    before = deployment.rows()
    for url, body in (
        ("/vector_stores", {"file_ids": [there, "file-missing"]}),
        (deployment.url(store_id, "files"), {"file_id": "file-missing"}),
        (deployment.url(store_id, "file_batches"), {"file_ids": [there, "file-missing"]}),
    ):
        refused = deployment.api.request("POST", url, body)
        assert refused.status == 404
        assert refused.error["message"] == "No such File object: file-missing"
    assert deployment.rows() == before


def test_the_same_file_attached_again_is_answered_as_it_is(
    deployment: FileSearchDeployment,
) -> None:
    store_id, file_id = deployment.vector_store(), deployment.file()
    first = attach(deployment, store_id, file_id, attributes={"year": 2024})
    assert attach(deployment, store_id, file_id) == first
    deployment.ingest()
    done = attach(deployment, store_id, file_id, attributes={"year": 2024})
    assert done["status"] == "completed"
    assert not deployment.index_queue.sent
    assert counts(deployment, store_id) == {"completed": 1, "total": 1}


@pytest.mark.parametrize(
    "asked", [{"attributes": {"year": 2025}}, {"chunking_strategy": STATIC}], ids=str
)
def test_a_file_attached_again_in_another_way_is_indexed_again(
    deployment: FileSearchDeployment, asked: dict[str, Any]
) -> None:
    store_id, file_id = deployment.vector_store(), deployment.file("word " * 900)
    attach(deployment, store_id, file_id, attributes={"year": 2024})
    deployment.ingest()
    again = attach(deployment, store_id, file_id, **asked)
    assert again["status"] == "in_progress"
    assert {name: again[name] for name in asked} == asked
    deployment.ingest()
    deployment.sweep()
    assert counts(deployment, store_id) == {"completed": 1, "total": 1}
    assert deployment.indexed() == (2 if "attributes" in asked else 11), (
        "no chunk of the first entry"
    )


def test_a_file_that_failed_is_tried_again_when_it_is_attached_again(
    deployment: FileSearchDeployment,
) -> None:
    file_id = deployment.file(name="a.bin")
    store_id = deployment.vector_store(file_id)
    deployment.ingest()
    assert attach(deployment, store_id, file_id)["status"] == "in_progress"
    assert counts(deployment, store_id) == {"in_progress": 1, "total": 1}


def test_files_are_listed_in_the_order_they_joined(deployment: FileSearchDeployment) -> None:
    ids = [deployment.file() for _ in range(5)]
    ids.reverse()
    store_id = deployment.vector_store(*ids)
    url = deployment.url(store_id, "files")
    newest = deployment.api.get(f"{url}?limit=2")
    assert [file["id"] for file in newest["data"]] == [ids[4], ids[3]]
    following = deployment.api.get(f"{url}?limit=2&after={newest['last_id']}")
    assert [file["id"] for file in following["data"]] == [ids[2], ids[1]]
    oldest = deployment.api.get(f"{url}?order=asc&before={ids[2]}")
    assert [file["id"] for file in oldest["data"]] == ids[:2]


def test_a_list_goes_on_after_a_file_that_has_left(deployment: FileSearchDeployment) -> None:
    """Whoever deletes what a page has shown, and asks for the next page, misses nothing."""
    ids = [deployment.file() for _ in range(4)]
    store_id = deployment.vector_store(*ids)
    url = deployment.url(store_id, "files")
    seen: list[str] = []
    page = deployment.api.get(f"{url}?limit=1")
    while page["data"]:
        [file] = page["data"]
        seen.append(file["id"])
        deployment.api.delete(f"{url}/{file['id']}")
        page = deployment.api.get(f"{url}?limit=1&after={file['id']}")
    assert seen == ids[::-1]


def test_a_cursor_that_was_never_in_the_store_is_refused(deployment: FileSearchDeployment) -> None:
    url = deployment.url(deployment.vector_store(), "files")
    refused = deployment.api.request("GET", f"{url}?after=file-x")
    assert (refused.status, refused.error["param"]) == (400, "after")


@pytest.mark.parametrize("status", ["in_progress", "completed", "failed", "cancelled"])
def test_a_list_can_be_narrowed_to_a_status(deployment: FileSearchDeployment, status: str) -> None:
    store_id = deployment.vector_store()
    url = deployment.url(store_id, "files")
    by_status = {
        "completed": deployment.file(),
        "failed": deployment.file(name="a.bin"),
        "cancelled": deployment.file(),
        "in_progress": deployment.file(),
    }
    for name in ("completed", "failed"):
        attach(deployment, store_id, by_status[name])
    deployment.ingest()
    batches = deployment.url(store_id, "file_batches")
    batch = deployment.api.post(batches, {"file_ids": [by_status["cancelled"]]})["id"]
    deployment.api.post(f"{batches}/{batch}/cancel")
    attach(deployment, store_id, by_status["in_progress"])
    [file] = deployment.api.get(f"{url}?filter={status}")["data"]
    assert (file["id"], file["status"]) == (by_status[status], status)
    assert counts(deployment, store_id) == {**dict.fromkeys(by_status, 1), "total": 4}


def test_a_file_that_leaves_the_store_is_not_found_any_more_and_remains_a_file(
    deployment: FileSearchDeployment,
) -> None:
    file_id = deployment.file()
    store_id = deployment.vector_store(file_id)
    deployment.ingest()
    url = deployment.url(store_id, "files", file_id)
    assert deployment.api.delete(url) == {
        "id": file_id,
        "object": "vector_store.file.deleted",
        "deleted": True,
    }
    assert deployment.indexed(), "its chunks are still there"
    assert found_files(deployment, store_id) == [], "but not shown"
    for method in ("GET", "DELETE"):
        answer = deployment.api.request(method, url)
        assert answer.status == 404
        assert answer.error["message"] == (
            f"No file found with id '{file_id}' in vector store '{store_id}'."
        )
    store = deployment.api.get(deployment.url(store_id))
    assert (store["file_counts"], store["usage_bytes"]) == (NOTHING, 0)
    deployment.ingest()
    assert deployment.indexed() == 0
    assert deployment.api.get(f"/files/{file_id}")["id"] == file_id


def test_attributes_narrow_a_search_and_can_be_changed(deployment: FileSearchDeployment) -> None:
    store_id = deployment.vector_store()
    old, new = deployment.file(), deployment.file()
    attach(deployment, store_id, old, attributes={"year": 2020, "draft": False})
    attach(deployment, store_id, new, attributes={"year": 2024, "draft": False})
    deployment.ingest()
    recent = {"type": "gt", "key": "year", "value": 2022}
    assert found_files(deployment, store_id, filters=recent) == [new]
    url = deployment.url(store_id, "files", old)
    changed = deployment.api.post(url, {"attributes": {"year": 2030}})
    assert changed["attributes"] == {"year": 2030}
    assert set(found_files(deployment, store_id, filters=recent)) == {old, new}
    [hit] = search(deployment, store_id, filters={**recent, "value": 2025})["data"]
    assert hit["attributes"] == {"year": 2030}
    cleared = deployment.api.post(url, {"attributes": None})
    assert cleared["attributes"] == {}
    assert found_files(deployment, store_id, filters=recent) == [new]
    refused = deployment.api.request("POST", url, {})
    assert refused.error["code"] == "missing_required_parameter"
    assert not deployment.table.due(2**40, limit=9), "nothing is left to be done"


@pytest.mark.parametrize("absent", ["in_progress", "detached"])
def test_files_that_cannot_be_found_take_no_place_of_those_that_can(
    deployment: FileSearchDeployment, absent: str
) -> None:
    """A long file that is being indexed, or removed, would else be all that a search looks at."""
    small = deployment.file("The parrot is called Ada, and more is said of other things.")
    large = deployment.file("parrot " * 20_000)
    store_id = deployment.vector_store(small)
    deployment.ingest()
    attach(deployment, store_id, large, chunking_strategy=STATIC)
    if absent == "detached":
        deployment.ingest()
        deployment.api.delete(deployment.url(store_id, "files", large))
    else:
        dies(deployment)
    assert deployment.indexed() > 200
    assert found_files(deployment, store_id) == [small]


def dies(deployment: FileSearchDeployment) -> None:
    """Kill the worker when all chunks are in the index, before it can record that."""
    [message] = deployment.index_queue.sent

    class Blind:
        def count(self, _: Any) -> int:
            raise KeyboardInterrupt

        def __getattr__(self, name: str) -> Any:
            return getattr(deployment.index, name)

    with pytest.raises(KeyboardInterrupt):
        replace(deployment.indexing, index=Blind).process(message)


def test_a_filter_holds_even_while_the_index_shows_former_attributes(
    deployment: FileSearchDeployment,
) -> None:
    store_id, file_id = deployment.vector_store(), deployment.file()
    attach(deployment, store_id, file_id, attributes={"team": "blue"})
    deployment.ingest()
    deployment.index.set_attributes = lambda *_: True  # type: ignore[method-assign]
    deployment.api.post(deployment.url(store_id, "files", file_id), {"attributes": {"team": "red"}})
    blue = {"type": "eq", "key": "team", "value": "blue"}
    assert found_files(deployment, store_id, filters=blue) == []


def test_attributes_that_change_during_the_indexing_are_those_that_count(
    deployment: FileSearchDeployment,
) -> None:
    file_id = deployment.file()
    store_id = deployment.vector_store()
    attach(deployment, store_id, file_id, attributes={"year": 1})
    put = deployment.index.put

    def overtaken(*arguments: Any) -> None:
        put(*arguments)
        deployment.api.post(deployment.url(store_id, "files", file_id), {"attributes": {"year": 2}})

    deployment.index.put = overtaken  # type: ignore[assignment, method-assign]
    deployment.ingest()
    assert found_files(deployment, store_id, filters={"type": "eq", "key": "year", "value": 2})
    assert not found_files(deployment, store_id, filters={"type": "eq", "key": "year", "value": 1})


def test_the_text_of_a_file_can_be_read(deployment: FileSearchDeployment) -> None:
    file_id = deployment.file("Ada is grün. 🦜")
    store_id = deployment.vector_store(file_id)
    url = deployment.url(store_id, "files", file_id, "content")
    page = {"object": "vector_store.file_content.page", "has_more": False, "next_page": None}
    assert deployment.api.get(url) == {**page, "data": []}
    deployment.ingest()
    text = {"type": "text", "text": "Ada is grün. 🦜"}
    assert deployment.api.get(url) == {**page, "data": [text]}


def test_a_search_answers_with_passages_and_their_files(deployment: FileSearchDeployment) -> None:
    birds, cars = deployment.file("The parrot is called Ada."), deployment.file("The car is red.")
    store_id = deployment.vector_store(birds, cars)
    deployment.ingest()
    page = search(deployment, store_id, "Which parrot?", max_num_results=1)
    [hit] = page.pop("data")
    assert page == {
        "object": "vector_store.search_results.page",
        "search_query": ["Which parrot?"],
        "has_more": False,
        "next_page": None,
    }
    assert 0 < hit.pop("score") <= 1
    assert hit == {
        "file_id": birds,
        "filename": "notes.txt",
        "attributes": {},
        "content": [{"type": "text", "text": "The parrot is called Ada."}],
    }
    both = search(deployment, store_id, ["parrot", "car"], ranking_options={"ranker": "auto"})
    assert both["search_query"] == ["parrot", "car"]
    assert {hit["file_id"] for hit in both["data"]} == {birds, cars}


def test_a_search_can_be_ranked_in_other_ways(deployment: FileSearchDeployment) -> None:
    store_id = deployment.vector_store(deployment.file("parrot"), deployment.file("car"))
    deployment.ingest()
    for options in (
        {"ranker": "none"},
        {"ranker": "default-2024-11-15", "score_threshold": 0.5},
        {"hybrid_search": {"embedding_weight": 0.2, "text_weight": 0.8}},
    ):
        first, *_ = search(deployment, store_id, ranking_options=options)["data"]
        assert first["content"][0]["text"] == "parrot"
    assert (
        search(deployment, store_id, "plane", ranking_options={"score_threshold": 1})["data"] == []
    )


def test_a_query_is_rewritten_when_it_is_asked_for(deployment: FileSearchDeployment) -> None:
    store_id = deployment.vector_store()
    question = "Hi, can you please tell me what is the height of the tower?"
    rewritten = search(deployment, store_id, question, rewrite_query=True)
    assert rewritten["search_query"] == ["height of the tower"]
    assert search(deployment, store_id, question)["search_query"] == [question]


def test_a_store_lives_on_by_its_use(deployment: FileSearchDeployment) -> None:
    store_id = deployment.vector_store(expires_after=EXPIRES)
    for use in ("search", "attach", "touch"):
        deployment.clock.now += 1.5 * DAY_SECONDS
        if use == "search":
            search(deployment, store_id)
        elif use == "attach":
            attach(deployment, store_id, deployment.file())
        else:
            deployment.backend.vector_stores.service.touch(
                deployment.project, [VectorStoreId(store_id)]
            )
        store = deployment.api.get(deployment.url(store_id))
        assert store["last_active_at"] == int(deployment.clock.now), use
        assert store["expires_at"] == store["last_active_at"] + 2 * DAY_SECONDS
        deployment.backend.maintenance.sweeper.sweep()
        assert deployment.api.get(deployment.url(store_id))["status"] != "expired"


def test_an_expired_store_is_refused_and_can_still_be_read(
    deployment: FileSearchDeployment,
) -> None:
    file_id, waiting = deployment.file(), deployment.file()
    store_id = deployment.vector_store(file_id, expires_after=EXPIRES)
    deployment.ingest()
    attach(deployment, store_id, waiting)
    deployment.index_queue.sent.clear()
    deployment.clock.now += 2 * DAY_SECONDS
    url = deployment.url(store_id)
    for swept in (False, True):
        assert deployment.api.get(url)["status"] == "expired"
        for path, body in (
            ("", {"name": "x"}),
            ("", {"expires_after": None}),
            ("/search", {"query": "parrot"}),
            ("/files", {"file_id": file_id}),
            ("/file_batches", {"file_ids": [file_id]}),
        ):
            message = deployment.api.refused("POST", url + path, body)
            assert message == f"Vector store {store_id} is expired.", (swept, path)
        assert {file["id"] for file in deployment.api.get(f"{url}/files")["data"]} == {
            file_id,
            waiting,
        }
        key = keys.vector_store(deployment.project, VectorStoreId(store_id))
        deployment.backend.vector_stores.service.expire(deployment.project, key)
        deployment.ingest()
    assert deployment.indexed() == 0
    assert deployment.blobs.list("texts/") == []
    assert counts(deployment, store_id) == {"completed": 1, "cancelled": 1, "total": 2}
    deployment.sweep()
    deployment.sweep()
    assert not deployment.table.due(2**40, limit=9), "nothing is left to be done"
    deployment.api.delete(url)
    deployment.ingest()
    assert not [key for key in deployment.rows() if store_id in key.partition]


def test_a_store_of_another_tenant_does_not_exist(deployment: FileSearchDeployment) -> None:
    file_id = deployment.file()
    store_id = deployment.vector_store(file_id)
    deployment.ingest()
    batch = deployment.api.post(deployment.url(store_id, "file_batches"), {"file_ids": [file_id]})[
        "id"
    ]
    other = Client(deployment.app, "sk-other")
    url = deployment.url(store_id)
    calls: list[tuple[str, str, Any]] = [
        ("GET", url, None),
        ("POST", url, {"name": "mine"}),
        ("DELETE", url, None),
        ("POST", f"{url}/search", {"query": "parrot"}),
        ("GET", f"{url}/files", None),
        ("GET", f"{url}/files/{file_id}", None),
        ("POST", f"{url}/files/{file_id}", {"attributes": {}}),
        ("DELETE", f"{url}/files/{file_id}", None),
        ("GET", f"{url}/files/{file_id}/content", None),
        ("GET", f"{url}/file_batches/{batch}", None),
        ("POST", f"{url}/file_batches/{batch}/cancel", None),
        ("GET", f"{url}/file_batches/{batch}/files", None),
    ]
    for method, path, body in calls:
        answer = other.request(method, path, body)
        assert answer.status == 404, path
        assert answer.error["message"] == f"No vector store found with id '{store_id}'."
    own = other.post("/vector_stores")["id"]
    stolen = other.request("POST", deployment.url(own, "files"), {"file_id": file_id})
    assert stolen.error["message"] == f"No such File object: {file_id}"
    assert [store["id"] for store in other.get("/vector_stores")["data"]] == [own]


def test_a_deployment_without_file_search_says_so() -> None:
    deployment = Deployment()
    for method, url in (("GET", "/vector_stores"), ("POST", "/vector_stores/vs_1/search")):
        body = {"query": "a"} if method == "POST" else None
        answer = deployment.api.request(method, url, body)
        assert answer.status == 400
        assert answer.error["message"] == (
            "The tool 'file_search' is not available in this deployment."
        )


def test_a_full_store_takes_only_what_it_has(deployment: FileSearchDeployment) -> None:
    file_id, one_more = deployment.file(), deployment.file()
    store_id = deployment.vector_store(file_id)
    key = next(
        key
        for key in deployment.table.rows
        if key.sort.startswith("STORE#") and "HEAD" not in key.sort
    )
    deployment.table.rows[key].body["completed"] = MAX_FILES - 1
    for url, body in (
        ("files", {"file_id": one_more}),
        ("file_batches", {"file_ids": [file_id, one_more]}),
    ):
        message = deployment.api.refused("POST", deployment.url(store_id, url), body)
        assert message == f"A vector store can hold at most {MAX_FILES} files."
    assert attach(deployment, store_id, file_id)["id"] == file_id
