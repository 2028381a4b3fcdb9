"""Messages: created, read, changed, deleted."""

import pytest

from tests.support.deployment import Deployment, user_message
from tests.support.fakes import FakeClock
from tests.support.racing_table import RacingTable
from tests.support.waiting import wait_until


def test_a_message_shows_every_member() -> None:
    deployment = Deployment()
    thread_id = deployment.thread()
    made = deployment.api.post(
        f"/threads/{thread_id}/messages", user_message(metadata={"a": "b"}, attachments=None)
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
    made = deployment.api.post(url, user_message())
    changed = deployment.api.post(f"{url}/{made['id']}", {"metadata": {"a": "b"}})
    assert changed == {**made, "metadata": {"a": "b"}}
    answer = deployment.api.request("POST", f"{url}/{made['id']}", {"content": "x"})
    assert answer.error["code"] == "unknown_parameter"


def test_a_deleted_message_is_gone_and_does_not_reach_the_model() -> None:
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
    assert [sent["content"] for sent in deployment.model.requests[0].messages] == ["One"]


def test_a_message_is_found_only_in_its_own_thread() -> None:
    deployment = Deployment()
    url = f"/threads/{deployment.thread()}/messages"
    made = deployment.api.post(url, user_message())
    other = deployment.api.request("GET", f"/threads/{deployment.thread()}/messages/{made['id']}")
    assert other.status == 404


@pytest.mark.parametrize("method", ["DELETE", "POST"])
def test_a_message_that_its_run_still_writes_cannot_be_changed(method: str) -> None:
    """What the run writes last would undo the change."""
    deployment = Deployment([], machine=False, clock=FakeClock(step=0.2))
    run = deployment.run()
    refusals = []

    def change() -> None:
        wait_until(lambda: deployment.messages(run))
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


def test_a_run_and_a_message_at_once_are_decided_by_the_lock() -> None:
    table = RacingTable()
    deployment = Deployment(machine=False, table=table)
    thread_id, assistant_id = deployment.thread(), deployment.assistant()
    body = {"assistant_id": assistant_id}
    table.rival = lambda: deployment.api.post(f"/threads/{thread_id}/runs", body)
    text = deployment.api.refused("POST", f"/threads/{thread_id}/messages", user_message())
    assert text.startswith(f"Can't add messages to {thread_id} while a run run_")
