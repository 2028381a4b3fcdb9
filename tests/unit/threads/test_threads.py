"""Threads: created, read, changed, deleted with everything in them."""

from typing import Any

import pytest

from tests.support.deployment import Deployment, user_message
from tests.support.racing_table import RacingTable


def test_a_thread_and_its_messages_are_made_at_once() -> None:
    deployment = Deployment()
    given = [user_message(str(number)) for number in range(200)]
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
    bodies = {"messages": user_message(), "runs": {"assistant_id": run["assistant_id"]}}
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


def test_nothing_is_left_of_a_deleted_thread_once_its_queue_is_worked_off() -> None:
    deployment = Deployment(["Hi"], ["Ho"])
    assistant_id = deployment.assistant()
    before = dict(deployment.table.rows)
    thread = {"messages": [user_message(str(number)) for number in range(700)]}
    thread_id = str(deployment.api.post("/threads", thread)["id"])
    for _ in range(2):
        deployment.run(thread_id, assistant_id=assistant_id)
    deployment.api.delete(f"/threads/{thread_id}")
    assert deployment.purge() > 2
    assert deployment.table.rows == before


def test_a_purge_whose_request_was_lost_is_found_by_the_sweep() -> None:
    deployment = Deployment()
    before = dict(deployment.table.rows)
    deployment.api.delete(f"/threads/{deployment.thread('Hello')}")
    deployment.purge_queue.sent.clear()
    deployment.clock.now += 301
    deployment.backend.maintenance.sweeper.sweep()
    deployment.purge()
    assert deployment.table.rows == before
    assert deployment.backend.maintenance.sweeper.sweep() == 0


def test_nothing_points_to_a_thread_that_was_changed_while_it_was_deleted() -> None:
    table = RacingTable()
    deployment = Deployment(table=table)
    before = dict(table.rows)
    url = f"/threads/{deployment.thread()}"
    table.rival = lambda: deployment.api.post(url, {"metadata": {"a": "b"}})
    assert deployment.api.delete(url)["deleted"]
    deployment.purge()
    assert table.rows == before


def test_of_two_deletions_at_once_one_finds_nothing() -> None:
    table = RacingTable()
    deployment = Deployment(table=table)
    url = f"/threads/{deployment.thread()}"
    table.rival = lambda: deployment.api.delete(url)
    assert deployment.api.request("DELETE", url).status == 404


def test_a_run_on_a_thread_that_is_deleted_at_the_same_time_is_not_made() -> None:
    table = RacingTable()
    deployment = Deployment(machine=False, table=table)
    thread_id, assistant_id = deployment.thread(), deployment.assistant()
    table.rival = lambda: deployment.api.delete(f"/threads/{thread_id}")
    answer = deployment.api.request(
        "POST", f"/threads/{thread_id}/runs", {"assistant_id": assistant_id}
    )
    assert answer.error["message"] == f"No thread found with id '{thread_id}'."
    assert deployment.executions.started == []
