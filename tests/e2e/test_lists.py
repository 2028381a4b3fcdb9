"""Pages: order, cursors, and the end of a list, as every SDK generation walks them."""

from typing import Any

import httpx2
import pytest
from openai import OpenAI
from openai.types.beta import Thread

from tests.e2e.envelope import error
from tests.e2e.fixture_types import MakeAssistant
from tests.support.model_server import ModelServer, Text


@pytest.fixture
def messages(client: OpenAI, thread: Thread) -> list[str]:
    """Six messages of one thread, oldest first, made faster than the clock's seconds pass."""
    first = client.beta.threads.messages.list(thread.id).data
    more = [
        client.beta.threads.messages.create(thread.id, role="user", content=str(n))
        for n in range(5)
    ]
    return [message.id for message in (*first, *more)]


def page(raw: httpx2.Client, path: str, **query: Any) -> dict[str, Any]:
    answer = raw.get(path, params=query)
    assert answer.status_code == 200, answer.text
    listed: dict[str, Any] = answer.json()
    assert listed["object"] == "list"
    ids = [item["id"] for item in listed["data"]]
    assert (listed["first_id"], listed["last_id"]) == ((ids[0], ids[-1]) if ids else (None, None))
    return listed


def ids(listed: dict[str, Any]) -> list[str]:
    return [item["id"] for item in listed["data"]]


def test_the_newest_comes_first_unless_ascending_order_is_asked_for(
    raw: httpx2.Client, thread: Thread, messages: list[str]
) -> None:
    path = f"threads/{thread.id}/messages"
    assert ids(page(raw, path)) == messages[::-1]
    assert ids(page(raw, path, order="asc")) == messages


def test_after_and_before_move_through_the_list_in_its_own_order(
    raw: httpx2.Client, thread: Thread, messages: list[str]
) -> None:
    path = f"threads/{thread.id}/messages"
    first = page(raw, path, order="asc", limit=4)
    assert (ids(first), first["has_more"]) == (messages[:4], True)
    rest = page(raw, path, order="asc", limit=4, after=messages[3])
    assert (ids(rest), rest["has_more"]) == (messages[4:], False)
    assert ids(page(raw, path, order="asc", limit=2, before=messages[4])) == messages[2:4]
    assert ids(page(raw, path, limit=2, before=messages[1])) == messages[2:4][::-1]


def test_a_full_last_page_has_no_more_and_the_page_after_it_is_empty(
    raw: httpx2.Client, thread: Thread, messages: list[str]
) -> None:
    path = f"threads/{thread.id}/messages"
    exact = page(raw, path, order="asc", limit=6)
    assert (ids(exact), exact["has_more"]) == (messages, False)
    empty = page(raw, path, order="asc", after=messages[-1])
    assert (empty["data"], empty["has_more"]) == ([], False)


def test_the_sdk_walks_every_page(client: OpenAI, thread: Thread, messages: list[str]) -> None:
    walked = [m.id for m in client.beta.threads.messages.list(thread.id, limit=2, order="asc")]
    assert walked == messages


def test_a_cursor_whose_message_is_deleted_still_pages(
    client: OpenAI, raw: httpx2.Client, thread: Thread, messages: list[str]
) -> None:
    client.beta.threads.messages.delete(messages[2], thread_id=thread.id)
    path = f"threads/{thread.id}/messages"
    assert ids(page(raw, path, order="asc", after=messages[2])) == messages[3:]


def test_runs_and_steps_and_messages_of_a_run_are_lists_too(
    client: OpenAI,
    raw: httpx2.Client,
    make_assistant: MakeAssistant,
    thread: Thread,
    model_server: ModelServer,
) -> None:
    assistant = make_assistant(model_server.script(Text("one"), Text("two")).name)
    runs = [
        client.beta.threads.runs.create_and_poll(thread_id=thread.id, assistant_id=assistant.id)
        for _ in range(2)
    ]
    assert ids(page(raw, f"threads/{thread.id}/runs", order="asc")) == [run.id for run in runs]
    steps = page(raw, f"threads/{thread.id}/runs/{runs[1].id}/steps")
    [answer] = page(raw, f"threads/{thread.id}/messages", run_id=runs[1].id)["data"]
    assert steps["data"][0]["step_details"]["message_creation"]["message_id"] == answer["id"]
    assert answer["content"][0]["text"]["value"] == "two"


def test_assistants_are_listed_newest_first(
    raw: httpx2.Client, make_assistant: MakeAssistant
) -> None:
    made = [make_assistant("demo").id for _ in range(3)]
    assert ids(page(raw, "assistants", limit=3)) == made[::-1]


@pytest.mark.parametrize(
    ("query", "refusal"),
    [
        (
            {"limit": "0"},
            error(
                "Invalid 'limit': integer below minimum value. "
                "Expected a value >= 1, but got 0 instead.",
                "limit",
                "integer_below_min_value",
            ),
        ),
        (
            {"limit": "101"},
            error(
                "Invalid 'limit': integer above maximum value. "
                "Expected a value <= 100, but got 101 instead.",
                "limit",
                "integer_above_max_value",
            ),
        ),
    ],
)
def test_a_limit_out_of_range_is_refused(
    raw: httpx2.Client, query: dict[str, str], refusal: dict[str, Any]
) -> None:
    answer = raw.get("assistants", params=query)
    assert (answer.status_code, answer.json()) == (400, {"error": refusal})
