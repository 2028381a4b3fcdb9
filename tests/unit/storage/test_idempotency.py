"""The same request sent twice, and the same key for another request."""

from typing import Any

import pytest

from tests.support.api_client import Client
from tests.support.deployment import Deployment, user_message


@pytest.mark.parametrize("url", ["/assistants", "/threads", "/threads/{thread}/messages"])
def test_the_same_creation_sent_twice_makes_one_object(url: str) -> None:
    deployment = Deployment()
    url = url.format(thread=deployment.thread())
    bodies: dict[str, dict[str, Any]] = {
        "/assistants": {"model": "demo"},
        "/threads": {"messages": [user_message()]},
    }
    body = bodies.get(url, user_message())
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
    thread: dict[str, Any] = {"messages": [user_message(str(number)) for number in range(200)]}
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
