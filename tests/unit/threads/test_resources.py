"""Assistants, threads and messages: made, read, changed, deleted."""

from collections.abc import Callable
from typing import Any

import pytest

from assistants.domain.ids import ThreadId
from assistants.ports.table import Key, Row, Write
from assistants.services.storage import keys
from tests.support.deployment import WEATHER, Client, Deployment
from tests.support.fakes import FakeClock, FakeTable
from tests.unit.turns.test_turns import until

ASSISTANT: dict[str, Any] = {
    "model": "small",
    "name": "Weather bot",
    "description": "Knows the weather.",
    "instructions": "Be kind.",
    "tools": [WEATHER],
    "metadata": {"team": "blue"},
    "temperature": 0.5,
    "top_p": 0.5,
    "response_format": {
        "type": "json_schema",
        "json_schema": {"name": "a", "schema": {"type": "object"}, "strict": True},
    },
    "reasoning_effort": "low",
}


def message(text: str = "Hello", **members: Any) -> dict[str, Any]:
    return {"role": "user", "content": text, **members}


def test_an_assistant_shows_every_member_with_its_default() -> None:
    deployment = Deployment()
    assistant = deployment.api.post("/assistants", {"model": "demo"})
    assert assistant == {
        "id": assistant["id"],
        "object": "assistant",
        "created_at": int(deployment.clock.now),
        "name": None,
        "description": None,
        "model": "demo",
        "instructions": None,
        "tools": [],
        "tool_resources": None,
        "metadata": {},
        "temperature": 1.0,
        "top_p": 1.0,
        "response_format": "auto",
        "reasoning_effort": None,
    }
    assert assistant["id"].startswith("asst_")


def test_an_assistant_is_kept_as_it_was_given() -> None:
    deployment = Deployment()
    made = deployment.api.post("/assistants", ASSISTANT)
    assert {name: made[name] for name in ASSISTANT} == ASSISTANT
    assert deployment.api.get(f"/assistants/{made['id']}") == made
    assert deployment.api.get("/assistants")["data"] == [made]


@pytest.mark.parametrize("name", [*ASSISTANT])
def test_only_the_named_member_changes(name: str) -> None:
    deployment = Deployment()
    made = deployment.api.post("/assistants", {"model": "small"})
    changed = deployment.api.post(f"/assistants/{made['id']}", {name: ASSISTANT[name]})
    assert changed == {**made, name: ASSISTANT[name]}
    assert deployment.api.get(f"/assistants/{made['id']}") == changed


@pytest.mark.parametrize("name", ["name", "description", "instructions", "reasoning_effort"])
def test_null_clears_what_can_be_empty(name: str) -> None:
    deployment = Deployment()
    made = deployment.api.post("/assistants", ASSISTANT)
    changed = deployment.api.post(f"/assistants/{made['id']}", {name: None})
    assert changed == {**made, name: None}


def test_null_leaves_what_cannot_be_empty() -> None:
    deployment = Deployment()
    made = deployment.api.post("/assistants", ASSISTANT)
    nothing = dict.fromkeys(("model", "tools", "metadata", "temperature", "response_format"))
    assert deployment.api.post(f"/assistants/{made['id']}", nothing) == made
    assert deployment.api.post(f"/assistants/{made['id']}") == made


def test_a_deleted_assistant_is_gone() -> None:
    deployment = Deployment()
    assistant_id = deployment.assistant()
    url = f"/assistants/{assistant_id}"
    assert deployment.api.delete(url) == {
        "id": assistant_id,
        "object": "assistant.deleted",
        "deleted": True,
    }
    for method in ("GET", "POST", "DELETE"):
        answer = deployment.api.request(method, url)
        assert answer.status == 404
        assert answer.error["message"] == f"No assistant found with id '{assistant_id}'."


@pytest.mark.parametrize("method", ["create", "modify"])
def test_an_assistant_needs_a_model_that_is_mapped(method: str) -> None:
    deployment = Deployment()
    url = "/assistants" if method == "create" else f"/assistants/{deployment.assistant()}"
    answer = deployment.api.request("POST", url, {"model": "gpt-9"})
    assert (answer.status, answer.error["code"]) == (400, "unsupported_model")


def test_a_thread_and_its_messages_are_made_at_once() -> None:
    deployment = Deployment()
    given = [message(str(number)) for number in range(200)]
    thread = deployment.api.post("/threads", {"messages": given, "metadata": {"a": "b"}})
    assert thread == {
        "id": thread["id"],
        "object": "thread",
        "created_at": int(deployment.clock.now),
        "tool_resources": {},
        "metadata": {"a": "b"},
    }
    url = f"/threads/{thread['id']}/messages?order=asc&limit=100"
    first = deployment.api.get(url)["data"]
    second = deployment.api.get(f"{url}&after={first[-1]['id']}")["data"]
    texts = [each["content"][0]["text"]["value"] for each in (*first, *second)]
    assert texts == [str(number) for number in range(200)]


@pytest.mark.parametrize("body", [None, {}, {"messages": None, "metadata": None}])
def test_a_thread_needs_nothing(body: Any) -> None:
    deployment = Deployment()
    thread = deployment.api.post("/threads", body)
    assert deployment.api.get(f"/threads/{thread['id']}") == thread
    assert thread["metadata"] == {}


def test_a_threads_metadata_can_be_changed() -> None:
    deployment = Deployment()
    url = f"/threads/{deployment.thread()}"
    changed = deployment.api.post(url, {"metadata": {"a": "b"}})
    assert changed["metadata"] == {"a": "b"}
    assert deployment.api.post(url, {}) == changed == deployment.api.get(url)


def test_a_deleted_thread_is_gone_with_all_that_hung_on_it() -> None:
    deployment = Deployment(["Hi"])
    thread_id = deployment.thread("Hello")
    run = deployment.run(thread_id)
    messages = deployment.api.get(f"/threads/{thread_id}/messages")["data"]
    deleted = deployment.api.delete(f"/threads/{thread_id}")
    assert deleted == {"id": thread_id, "object": "thread.deleted", "deleted": True}
    base = f"/threads/{thread_id}"
    bodies = {"messages": message(), "runs": {"assistant_id": run["assistant_id"]}}
    for method, url in (
        ("GET", base),
        ("DELETE", base),
        ("GET", f"{base}/messages"),
        ("POST", f"{base}/messages"),
        ("GET", f"{base}/messages/{messages[0]['id']}"),
        ("GET", f"{base}/runs"),
        ("POST", f"{base}/runs"),
        ("GET", f"{base}/runs/{run['id']}"),
        ("POST", f"{base}/runs/{run['id']}/cancel"),
        ("GET", f"{base}/runs/{run['id']}/steps"),
        ("GET", f"{base}/runs/{run['id']}/events"),
    ):
        body = bodies.get(url.rpartition("/")[2]) if method == "POST" else None
        answer = deployment.api.request(method, url, body)
        assert answer.status == 404, url
        assert answer.error["message"] == f"No thread found with id '{thread_id}'."


def work(deployment: Deployment, seconds: float = 50) -> int:
    """Do what the queue asks for until it is empty; the worker has so long for each message."""
    asked = 0
    while deployment.purge_queue.sent:
        asked += 1
        message = deployment.purge_queue.sent.pop(0)
        deployment.backend.maintenance.purge.work(*message, seconds=seconds)
    return asked


def test_nothing_is_left_of_a_deleted_thread_once_its_queue_is_worked_off() -> None:
    deployment = Deployment(["Hi"], ["Ho"])
    assistant_id = deployment.assistant()
    before = dict(deployment.table.rows)
    thread = {"messages": [message(str(number)) for number in range(700)]}
    thread_id = str(deployment.api.post("/threads", thread)["id"])
    for _ in range(2):
        deployment.run(thread_id, assistant_id=assistant_id)
    deployment.api.delete(f"/threads/{thread_id}")
    assert work(deployment, seconds=0) > 2
    assert deployment.table.rows == before


def test_one_message_suffices_for_a_thread_of_20_000_rows_while_there_is_time() -> None:
    """Lambda stops a function that has sent some 16 messages to its own queue in a chain."""
    deployment = Deployment()
    before = dict(deployment.table.rows)
    thread_id = deployment.thread("Hello")
    partition = keys.in_thread(deployment.project, ThreadId(thread_id))
    for number in range(20_000):
        key = Key(partition, f"{keys.MESSAGES}{number:026}")
        deployment.table.rows[key] = Row(key, {})
    deployment.api.delete(f"/threads/{thread_id}")
    assert work(deployment) == 1
    assert deployment.table.rows == before


def test_a_purge_asks_for_the_rest_once_its_time_is_over() -> None:
    deployment = Deployment()
    before = dict(deployment.table.rows)
    thread = {"messages": [message(str(number)) for number in range(3_000)]}
    thread_id = str(deployment.api.post("/threads", thread)["id"])
    deployment.api.delete(f"/threads/{thread_id}")
    deployment.clock.step = 10  # for each page
    assert work(deployment, seconds=25) == 2  # of three pages each
    assert deployment.table.rows == before


def test_a_long_purge_does_not_get_a_worker_a_minute() -> None:
    deployment = Deployment()
    deployment.api.delete(f"/threads/{deployment.thread('Hello')}")
    deployment.clock.now += 301
    for _ in range(3):
        deployment.backend.maintenance.sweeper.sweep()
        deployment.clock.now += 60
    assert len(deployment.purge_queue.sent) == 2


def test_a_purge_whose_request_was_lost_is_found_by_the_sweep() -> None:
    deployment = Deployment()
    before = dict(deployment.table.rows)
    deployment.api.delete(f"/threads/{deployment.thread('Hello')}")
    deployment.purge_queue.sent.clear()
    deployment.clock.now += 301
    deployment.backend.maintenance.sweeper.sweep()
    work(deployment)
    assert deployment.table.rows == before
    assert deployment.backend.maintenance.sweeper.sweep() == 0


def test_a_message_shows_every_member() -> None:
    deployment = Deployment()
    thread_id = deployment.thread()
    made = deployment.api.post(
        f"/threads/{thread_id}/messages", message(metadata={"a": "b"}, attachments=None)
    )
    now = int(deployment.clock.now)
    assert made == {
        "id": made["id"],
        "object": "thread.message",
        "created_at": now,
        "thread_id": thread_id,
        "status": "completed",
        "incomplete_details": None,
        "completed_at": now,
        "incomplete_at": None,
        "role": "user",
        "content": [{"type": "text", "text": {"value": "Hello", "annotations": []}}],
        "assistant_id": None,
        "run_id": None,
        "attachments": [],
        "metadata": {"a": "b"},
    }
    assert deployment.api.get(f"/threads/{thread_id}/messages/{made['id']}") == made


def test_content_may_be_parts() -> None:
    deployment = Deployment()
    parts = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": "https://a/b.png"}},
        {"type": "image_url", "image_url": {"url": "https://a/c.png", "detail": "low"}},
        {"type": "text", "text": ""},
    ]
    made = deployment.api.post(
        f"/threads/{deployment.thread()}/messages", {"role": "assistant", "content": parts}
    )
    assert made["role"] == "assistant"
    assert made["content"] == [
        {"type": "text", "text": {"value": "What is this?", "annotations": []}},
        {"type": "image_url", "image_url": {"url": "https://a/b.png", "detail": "auto"}},
        {"type": "image_url", "image_url": {"url": "https://a/c.png", "detail": "low"}},
        {"type": "text", "text": {"value": "", "annotations": []}},
    ]


@pytest.mark.parametrize(
    "text", ["Ünïcödé 🙂 \u2028 \x00 \\u0000", "x" * 1_000_000, " \n ", "【4:0†source】"]
)
def test_text_is_kept_character_for_character(text: str) -> None:
    deployment = Deployment()
    thread_id = deployment.thread(text)
    [kept] = deployment.api.get(f"/threads/{thread_id}/messages")["data"]
    assert kept["content"][0]["text"]["value"] == text


def test_a_messages_metadata_is_all_that_can_be_changed() -> None:
    deployment = Deployment()
    url = f"/threads/{deployment.thread()}/messages"
    made = deployment.api.post(url, message())
    changed = deployment.api.post(f"{url}/{made['id']}", {"metadata": {"a": "b"}})
    assert changed == {**made, "metadata": {"a": "b"}}
    answer = deployment.api.request("POST", f"{url}/{made['id']}", {"content": "x"})
    assert answer.error["code"] == "unknown_parameter"


def test_a_deleted_message_is_gone_and_is_not_told_to_the_model() -> None:
    deployment = Deployment(["Hi"])
    thread_id = deployment.thread("One", "Two")
    url = f"/threads/{thread_id}/messages"
    newest, _ = deployment.api.get(url)["data"]
    assert deployment.api.delete(f"{url}/{newest['id']}") == {
        "id": newest["id"],
        "object": "thread.message.deleted",
        "deleted": True,
    }
    answer = deployment.api.request("GET", f"{url}/{newest['id']}")
    assert answer.error["message"] == f"No message found with id '{newest['id']}'."
    assert deployment.api.request("DELETE", f"{url}/{newest['id']}").status == 404
    deployment.run(thread_id)
    assert [told["content"] for told in deployment.model.requests[0].messages] == ["One"]


def test_a_message_is_found_only_in_its_own_thread() -> None:
    deployment = Deployment()
    url = f"/threads/{deployment.thread()}/messages"
    made = deployment.api.post(url, message())
    other = deployment.api.request("GET", f"/threads/{deployment.thread()}/messages/{made['id']}")
    assert other.status == 404


@pytest.mark.parametrize("method", ["DELETE", "POST"])
def test_a_message_that_its_run_still_writes_cannot_be_changed(method: str) -> None:
    """What the run writes last would undo the change."""
    deployment = Deployment([], machine=False, clock=FakeClock(step=0.2))
    run = deployment.run()
    refusals = []

    def change() -> None:
        until(lambda: deployment.messages(run))
        [unfinished] = deployment.messages(run)
        url = f"/threads/{run['thread_id']}/messages/{unfinished['id']}"
        refusals.append((unfinished["id"], deployment.api.refused(method, url)))

    deployment.model.turns[0] = [*(["word "] * 12), change, "end"]
    deployment.turn(run)
    [(message_id, refusal)] = refusals
    assert refusal == f"Can't change {message_id} while a run {run['id']} is active."
    [finished] = deployment.messages(run)
    assert finished["status"] == "completed"
    url = f"/threads/{run['thread_id']}/messages/{message_id}"
    assert deployment.api.request(method, url).status == 200


class CrowdedTable(FakeTable):
    """Lets somebody else write just before the next write."""

    meanwhile: Callable[[], Any] | None = None

    def commit(self, *writes: Write) -> None:
        if self.meanwhile is not None:
            act, self.meanwhile = self.meanwhile, None
            act()
        super().commit(*writes)


@pytest.mark.parametrize("kind", ["assistants", "threads", "messages", "runs"])
def test_of_two_changes_at_once_none_is_lost(kind: str) -> None:
    table = CrowdedTable()
    deployment = Deployment(machine=False, table=table)
    if kind == "assistants":
        url = f"/assistants/{deployment.assistant()}"
        one: dict[str, Any] = {"name": "A"}
        two: dict[str, Any] = {"metadata": {"a": "2"}}
        both = one | two
    else:
        run = deployment.run()
        base = f"/threads/{run['thread_id']}"
        [sent] = deployment.api.get(f"{base}/messages")["data"]
        urls = {"threads": base, "messages": f"{base}/messages/{sent['id']}"}
        url = urls.get(kind, f"{base}/runs/{run['id']}")
        one, two = {"metadata": {"a": "1"}}, {"metadata": {"a": "2"}}
        both = two
    table.meanwhile = lambda: deployment.api.post(url, one)
    deployment.api.post(url, two)
    found = deployment.api.get(url)
    assert {name: found[name] for name in both} == both


def test_a_change_to_what_is_deleted_meanwhile_is_not_found() -> None:
    table = CrowdedTable()
    deployment = Deployment(table=table)
    url = f"/assistants/{deployment.assistant()}"
    table.meanwhile = lambda: deployment.api.delete(url)
    assert deployment.api.request("POST", url, {"name": "A"}).status == 404
    assert deployment.api.request("GET", url).status == 404


def test_nothing_points_to_a_thread_that_was_changed_while_it_was_deleted() -> None:
    table = CrowdedTable()
    deployment = Deployment(table=table)
    before = dict(table.rows)
    url = f"/threads/{deployment.thread()}"
    table.meanwhile = lambda: deployment.api.post(url, {"metadata": {"a": "b"}})
    assert deployment.api.delete(url)["deleted"]
    work(deployment)
    assert table.rows == before


def test_of_two_deletions_at_once_one_finds_nothing() -> None:
    table = CrowdedTable()
    deployment = Deployment(table=table)
    url = f"/threads/{deployment.thread()}"
    table.meanwhile = lambda: deployment.api.delete(url)
    assert deployment.api.request("DELETE", url).status == 404


def test_a_run_and_a_message_at_once_are_decided_by_the_lock() -> None:
    table = CrowdedTable()
    deployment = Deployment(machine=False, table=table)
    thread_id, assistant_id = deployment.thread(), deployment.assistant()
    body = {"assistant_id": assistant_id}
    table.meanwhile = lambda: deployment.api.post(f"/threads/{thread_id}/runs", body)
    text = deployment.api.refused("POST", f"/threads/{thread_id}/messages", message())
    assert text.startswith(f"Can't add messages to {thread_id} while a run run_")


def test_a_run_on_a_thread_that_is_deleted_meanwhile_is_not_made() -> None:
    table = CrowdedTable()
    deployment = Deployment(machine=False, table=table)
    thread_id, assistant_id = deployment.thread(), deployment.assistant()
    table.meanwhile = lambda: deployment.api.delete(f"/threads/{thread_id}")
    answer = deployment.api.request(
        "POST", f"/threads/{thread_id}/runs", {"assistant_id": assistant_id}
    )
    assert answer.error["message"] == f"No thread found with id '{thread_id}'."
    assert deployment.executions.started == []


@pytest.mark.parametrize("url", ["/assistants", "/threads", "/threads/{thread}/messages"])
def test_the_same_creation_sent_twice_makes_one_object(url: str) -> None:
    deployment = Deployment()
    url = url.format(thread=deployment.thread())
    bodies: dict[str, dict[str, Any]] = {
        "/assistants": {"model": "demo"},
        "/threads": {"messages": [message()]},
    }
    body = bodies.get(url, message())
    key = {"idempotency-key": "once"}
    first = deployment.api.request("POST", url, body, headers=key)
    rows = dict(deployment.table.rows)
    again = deployment.api.request("POST", url, body, headers=key)
    assert first.status == again.status == 200
    assert first.json == again.json
    assert deployment.table.rows == rows
    other = deployment.api.request("POST", url, {**body, "metadata": {"a": "b"}}, headers=key)
    assert (other.status, other.error["code"]) == (400, "idempotency_key_reused")
    stranger = Client(deployment.app, key="sk-stranger")
    if "thread_" not in url:
        made = stranger.request("POST", url, body, headers=key)
        assert made.json["id"] != first.json["id"]


def test_a_key_of_one_change_is_refused_for_another() -> None:
    deployment = Deployment()
    url = f"/assistants/{deployment.assistant()}"
    key = {"idempotency-key": "once"}
    for _ in range(2):
        assert deployment.api.post(url, {"name": "a"}, **key)["name"] == "a"
    other = deployment.api.request("POST", url, {"name": "b"}, headers=key)
    assert (other.status, other.error["code"]) == (400, "idempotency_key_reused")
    assert deployment.api.get(url)["name"] == "a"


@pytest.mark.parametrize("url", ["/threads", "/threads/runs"])
def test_a_long_thread_made_twice_does_not_undo_what_was_changed_between(url: str) -> None:
    deployment = Deployment(machine=False)
    thread: dict[str, Any] = {"messages": [message(str(number)) for number in range(200)]}
    run = {"assistant_id": deployment.assistant(), "thread": thread}
    body = thread if url == "/threads" else run
    key = {"idempotency-key": "once"}
    first = deployment.api.request("POST", url, body, headers=key).json
    messages = f"/threads/{first.get('thread_id', first['id'])}/messages"
    oldest = deployment.api.get(f"{messages}?order=asc&limit=1")["data"][0]
    deployment.api.delete(f"{messages}/{oldest['id']}")
    again = deployment.api.request("POST", url, body, headers=key).json
    assert again["id"] == first["id"]
    assert deployment.api.request("GET", f"{messages}/{oldest['id']}").status == 404


@pytest.mark.parametrize(
    ("url", "body", "param"),
    [
        (
            "/assistants",
            {"model": "demo", "tools": [{"type": "code_interpreter"}]},
            "tools[0].type",
        ),
        (
            "/threads",
            {"tool_resources": {"file_search": {"vector_store_ids": ["vs_a"]}}},
            "tool_resources.file_search",
        ),
    ],
)
def test_a_tool_that_this_deployment_does_not_have_is_refused(
    url: str, body: dict[str, Any], param: str
) -> None:
    answer = Deployment().api.request("POST", url, body)
    assert (answer.status, answer.error["param"]) == (400, param)
    assert answer.error["message"].endswith("is not available in this deployment.")
