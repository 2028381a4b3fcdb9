"""The files and vector stores that messages and tool resources add to threads and assistants."""

from pathlib import Path
from typing import Any

import pytest

from assistants.domain.ids import RunRef, VectorStoreId
from assistants.domain.vector_store import DAY_SECONDS
from tests.support.api_client import Client
from tests.support.file_search_deployment import FileSearchDeployment

SEARCH, CODE = "file_search", "code_interpreter"
WEEK = {"anchor": "last_active_at", "days": 7}


@pytest.fixture
def deployment(tmp_path: Path) -> FileSearchDeployment:
    return FileSearchDeployment(tmp_path)


def message(file_id: str, *tools: str) -> dict[str, Any]:
    attachment = {"file_id": file_id, "tools": [{"type": tool} for tool in tools]}
    return {"role": "user", "content": "Look", "attachments": [attachment]}


def say(
    deployment: FileSearchDeployment, thread_id: str, file_id: str, *tools: str
) -> dict[str, Any]:
    """Add the message, and return the thread as it is then."""
    deployment.api.post(f"/threads/{thread_id}/messages", message(file_id, *tools))
    return thread(deployment, thread_id)


def thread(deployment: FileSearchDeployment, thread_id: str) -> dict[str, Any]:
    found: dict[str, Any] = deployment.api.get(f"/threads/{thread_id}")
    return found


def store_of(found: dict[str, Any]) -> VectorStoreId:
    [store_id] = found["tool_resources"]["file_search"]["vector_store_ids"]
    return VectorStoreId(store_id)


def files_of(deployment: FileSearchDeployment, store_id: str) -> list[str]:
    page = deployment.api.get(deployment.url(store_id, "files?order=asc"))
    return [file["id"] for file in page["data"]]


def test_a_file_to_search_goes_to_the_threads_own_store_which_lives_a_week(
    deployment: FileSearchDeployment,
) -> None:
    first, second, thread_id = deployment.file(), deployment.file(), deployment.thread()
    now = say(deployment, thread_id, first, SEARCH)
    assert set(now) == {"id", "object", "created_at", "tool_resources", "metadata"}
    store_id = store_of(now)
    store = deployment.api.get(deployment.url(store_id))
    assert (store["expires_after"], store["name"]) == (WEEK, None)
    assert say(deployment, thread_id, second, SEARCH)["tool_resources"] == now["tool_resources"]
    assert files_of(deployment, store_id) == [first, second]
    assert len(deployment.api.get("/vector_stores")["data"]) == 1
    assert deployment.backend.vector_stores.service.is_indexing(deployment.project, store_id)
    deployment.ingest()
    assert not deployment.backend.vector_stores.service.is_indexing(deployment.project, store_id)


def test_files_for_code_join_those_of_the_thread(deployment: FileSearchDeployment) -> None:
    first, second = deployment.file(), deployment.file()
    thread_id = deployment.thread()
    say(deployment, thread_id, first, CODE)
    now = say(deployment, thread_id, second, CODE)
    assert now["tool_resources"] == {"code_interpreter": {"file_ids": [first, second]}}
    assert say(deployment, thread_id, first, CODE) == now, "each is there once"
    both = say(deployment, thread_id, deployment.file(), CODE, SEARCH)["tool_resources"]
    assert len(both["code_interpreter"]["file_ids"]) == 3
    assert len(both["file_search"]["vector_store_ids"]) == 1


def test_a_thread_takes_twenty_files_for_code_and_no_more(deployment: FileSearchDeployment) -> None:
    thread_id = deployment.thread()
    for _ in range(20):
        say(deployment, thread_id, deployment.file(), CODE)
    url = f"/threads/{thread_id}/messages"
    answer = deployment.api.request("POST", url, message(deployment.file(), CODE))
    assert (answer.status, answer.error["code"]) == (400, "array_above_max_length")
    assert len(deployment.api.get(f"{url}?limit=100")["data"]) == 20


def test_a_file_joins_the_store_that_the_thread_was_given(deployment: FileSearchDeployment) -> None:
    file_id, store_id = deployment.file(), deployment.vector_store()
    resources = {"file_search": {"vector_store_ids": [store_id]}}
    thread_id = deployment.api.post("/threads", {"tool_resources": resources})["id"]
    assert say(deployment, thread_id, file_id, SEARCH)["tool_resources"] == resources
    assert files_of(deployment, store_id) == [file_id]
    deployment.api.delete(f"/threads/{thread_id}")
    deployment.ingest()
    assert files_of(deployment, store_id) == [file_id], "it is not the thread's own"


@pytest.mark.parametrize("end", ["expired", "deleted"])
def test_a_store_that_is_no_more_is_followed_by_a_new_one(
    deployment: FileSearchDeployment, end: str
) -> None:
    thread_id = deployment.thread()
    old = store_of(say(deployment, thread_id, deployment.file(), SEARCH))
    if end == "expired":
        deployment.clock.now += 7 * DAY_SECONDS
    else:
        deployment.api.delete(deployment.url(old))
    file_id = deployment.file()
    new = store_of(say(deployment, thread_id, file_id, SEARCH))
    assert new != old
    assert files_of(deployment, new) == [file_id]


def test_a_store_in_use_lives_on(deployment: FileSearchDeployment) -> None:
    thread_id = deployment.thread()
    store_id = store_of(say(deployment, thread_id, deployment.file(), SEARCH))
    for _ in range(3):
        deployment.clock.now += 6 * DAY_SECONDS
        assert store_of(say(deployment, thread_id, deployment.file(), SEARCH)) == store_id


def test_the_first_messages_of_a_thread_bring_their_files(deployment: FileSearchDeployment) -> None:
    search, code = deployment.file(), deployment.file()
    messages = [message(search, SEARCH), message(code, CODE), message(search, SEARCH)]
    made = deployment.api.post("/threads", {"messages": messages})
    assert thread(deployment, made["id"]) == made
    assert made["tool_resources"]["code_interpreter"]["file_ids"] == [code]
    assert files_of(deployment, store_of(made)) == [search]


def test_a_thread_is_made_with_a_store_of_its_own(deployment: FileSearchDeployment) -> None:
    given, attached, code = deployment.file(), deployment.file(), deployment.file()
    helper = {"file_ids": [given], "metadata": {"a": "b"}, "chunking_strategy": {"type": "auto"}}
    resources = {
        "file_search": {"vector_stores": [helper]},
        "code_interpreter": {"file_ids": [code]},
    }
    body = {"tool_resources": resources, "messages": [message(attached, SEARCH)]}
    made = deployment.api.post("/threads", body)
    assert made["tool_resources"] == {
        "code_interpreter": {"file_ids": [code]},
        "file_search": {"vector_store_ids": [store_of(made)]},
    }
    assert sorted(files_of(deployment, store_of(made))) == sorted([given, attached])
    store = deployment.api.get(deployment.url(store_of(made)))
    assert (store["metadata"], store["expires_after"]) == ({"a": "b"}, WEEK)


def test_an_assistant_is_made_with_a_store_that_does_not_expire(
    deployment: FileSearchDeployment,
) -> None:
    file_id = deployment.file()
    helper = {"file_ids": [file_id]}
    body = {"model": "demo", "tool_resources": {"file_search": {"vector_stores": [helper]}}}
    made = deployment.api.post("/assistants", body)
    assert deployment.api.get(f"/assistants/{made['id']}") == made
    store = deployment.api.get(deployment.url(store_of(made)))
    assert (store["expires_after"], store["file_counts"]["total"]) == (None, 1)
    deployment.api.delete(f"/assistants/{made['id']}")
    assert files_of(deployment, store["id"]) == [file_id]


def test_a_thread_made_with_a_run_brings_its_files(deployment: FileSearchDeployment) -> None:
    file_id, given = deployment.file(), deployment.file()
    run = deployment.api.post(
        "/threads/runs",
        {
            "assistant_id": deployment.assistant(tools=[{"type": SEARCH}]),
            "thread": {
                "messages": [message(file_id, SEARCH)],
                "tool_resources": {"file_search": {"vector_stores": [{"file_ids": [given]}]}},
            },
        },
    )
    made = thread(deployment, run["thread_id"])
    assert sorted(files_of(deployment, store_of(made))) == sorted([file_id, given])
    started = deployment.backend.runs.repository.load(
        RunRef(deployment.project, made["id"], run["id"])
    ).settings
    assert started.vector_store_ids == [store_of(made)]
    created, *_ = deployment.events(run)
    assert (created.name, created.data) == ("thread.created", made)


def test_additional_messages_bring_their_files_to_this_run(
    deployment: FileSearchDeployment,
) -> None:
    search, code, thread_id = deployment.file(), deployment.file(), deployment.thread("Hello")
    assistant_id = deployment.assistant(tools=[{"type": SEARCH}, {"type": CODE}])
    run = deployment.api.post(
        f"/threads/{thread_id}/runs",
        {
            "assistant_id": assistant_id,
            "additional_messages": [message(search, SEARCH), message(code, CODE)],
        },
    )
    made = thread(deployment, thread_id)
    assert files_of(deployment, store_of(made)) == [search]
    started = deployment.backend.runs.repository.load(
        RunRef(deployment.project, made["id"], run["id"])
    ).settings
    assert (started.vector_store_ids, started.file_ids) == ([store_of(made)], [code])


def test_only_the_resources_of_the_named_tool_are_replaced(
    deployment: FileSearchDeployment,
) -> None:
    store_id, other = deployment.vector_store(), deployment.vector_store()
    code = deployment.file()
    resources = {
        "code_interpreter": {"file_ids": [code]},
        "file_search": {"vector_store_ids": [store_id]},
    }
    thread_url = f"/threads/{deployment.api.post('/threads', {'tool_resources': resources})['id']}"
    assistant_url = f"/assistants/{deployment.assistant(tool_resources=resources)}"
    for url in (thread_url, assistant_url):
        changes: list[tuple[dict[str, Any], dict[str, Any]]] = [
            ({}, {}),
            ({"file_search": {"vector_store_ids": [other]}}, {}),
            ({"file_search": {"vector_store_ids": []}}, {}),
            ({"code_interpreter": {"file_ids": []}, "file_search": None}, {"file_search": None}),
        ]
        expected: dict[str, Any] = dict(resources)
        for change, left_out in changes:
            expected |= {name: new for name, new in change.items() if name not in left_out}
            found = deployment.api.post(url, {"tool_resources": change})
            assert found["tool_resources"] == expected, change
            assert deployment.api.get(url) == found


def test_a_store_must_exist_in_the_callers_project(deployment: FileSearchDeployment) -> None:
    foreign = Client(deployment.app, "sk-other").post("/vector_stores")["id"]
    assistant_id, thread_id = deployment.assistant(), deployment.thread()
    for store_id in (foreign, "vs_missing"):
        resources = {"tool_resources": {"file_search": {"vector_store_ids": [store_id]}}}
        for url, rest in (
            ("/assistants", {"model": "demo"}),
            (f"/assistants/{assistant_id}", {}),
            ("/threads", {}),
            (f"/threads/{thread_id}", {}),
            ("/threads/runs", {"assistant_id": assistant_id}),
        ):
            answer = deployment.api.request("POST", url, {**rest, **resources})
            assert answer.status == 404, url
            assert answer.error["message"] == f"No vector store found with id '{store_id}'."


@pytest.mark.parametrize(
    ("search", "param"),
    [
        ({"vector_store_ids": ["vs_1", "vs_2"]}, "tool_resources.file_search.vector_store_ids"),
        ({"vector_stores": [{}, {}]}, "tool_resources.file_search.vector_stores"),
        ({"vector_stores": [{}], "vector_store_ids": ["vs_1"]}, "tool_resources.file_search"),
        (
            {"vector_stores": [{"chunking_strategy": {"type": "auto"}}]},
            "tool_resources.file_search.vector_stores[0]",
        ),
        (
            {"vector_stores": [{"metadata": {"a": 1}}]},
            "tool_resources.file_search.vector_stores[0].metadata.a",
        ),
    ],
)
def test_resources_that_cannot_be_are_refused(
    deployment: FileSearchDeployment, search: dict[str, Any], param: str
) -> None:
    for url, rest in (("/assistants", {"model": "demo"}), ("/threads", {})):
        body = {**rest, "tool_resources": {"file_search": search}}
        answer = deployment.api.request("POST", url, body)
        assert (answer.status, answer.error["param"]) == (400, param)
    modified = deployment.api.request(
        "POST",
        f"/threads/{deployment.thread()}",
        {"tool_resources": {"file_search": {"vector_stores": [{}]}}},
    )
    assert modified.error["code"] == "unknown_parameter", "it is for creation only"


def test_nothing_is_made_for_a_message_that_is_refused(deployment: FileSearchDeployment) -> None:
    """Of a thread with an active run."""
    thread_id, file_id = deployment.thread("Hello"), deployment.file()
    deployment.run(thread_id)
    before = deployment.rows()
    url = f"/threads/{thread_id}/messages"
    assert "while a run" in deployment.api.refused("POST", url, message(file_id, SEARCH, CODE))
    assert deployment.rows() == before


def test_the_same_message_sent_twice_attaches_once(deployment: FileSearchDeployment) -> None:
    thread_id, file_id = deployment.thread(), deployment.file()
    url = f"/threads/{thread_id}/messages"
    key = {"idempotency-key": "once"}
    answers = [
        deployment.api.request("POST", url, message(file_id, SEARCH), headers=key).json
        for _ in range(2)
    ]
    assert answers[0] == answers[1]
    assert len(deployment.api.get("/vector_stores")["data"]) == 1
    assert files_of(deployment, store_of(thread(deployment, thread_id))) == [file_id]


def test_two_attachments_at_once_find_the_same_store(deployment: FileSearchDeployment) -> None:
    thread_id, first, second = deployment.thread(), deployment.file(), deployment.file()
    get, others = deployment.table.get, [second]

    def overtaken(*keys: Any) -> Any:
        found = get(*keys)
        if others and keys[0].sort == "THREAD":
            say(deployment, thread_id, others.pop(), SEARCH)
        return found

    deployment.table.get = overtaken  # type: ignore[method-assign]
    now = say(deployment, thread_id, first, SEARCH)
    assert sorted(files_of(deployment, store_of(now))) == sorted([first, second])
    assert len(deployment.api.get("/vector_stores")["data"]) == 1


def test_a_big_store_is_filled_portion_by_portion(deployment: FileSearchDeployment) -> None:
    ids = [deployment.file() for _ in range(2_500)]
    helper = {"file_search": {"vector_stores": [{"file_ids": ids}]}}
    made = deployment.api.post("/assistants", {"model": "demo", "tool_resources": helper})
    url = deployment.url(store_of(made))
    assert deployment.api.get(url)["file_counts"]["total"] == 2_000
    deployment.backend.maintenance.sweeper.sweep()
    assert deployment.api.get(url)["file_counts"]["total"] == 2_500
    deployment.backend.maintenance.sweeper.sweep()
    assert len(deployment.index_queue.sent) == 2_500, "nothing is added twice"
