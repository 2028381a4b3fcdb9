"""A page ends early rather than grow past what Lambda can answer."""

import json

import pytest

from assistants.domain.message import Message, text_block
from assistants.domain.page import MAX_BYTES, Cursor, Page


def message(number: int, text: str) -> Message:
    return Message(
        id=f"msg_{number}",
        created_at=0,
        thread_id="thread_1",
        status="completed",
        role="user",
        content=[text_block(text)],
    )


@pytest.mark.parametrize("text", ["x" * 1_000_000, '"\n' * 300_000, "🙂" * 200_000])
def test_a_page_of_large_objects_ends_early_and_says_so(text: str) -> None:
    page = Page.from_items([message(n, text) for n in range(20)], Cursor(), has_more=False)
    assert 0 < len(page.data) < 20
    assert page.has_more
    assert page.last_id == page.data[-1].id
    assert len(json.dumps(page.model_dump_json())) < 6_000_000


def test_a_page_backwards_keeps_what_is_nearest_to_its_cursor() -> None:
    messages = [message(n, "x" * 1_000_000) for n in range(20)]
    page = Page.from_items(messages, Cursor(before="msg_20"), has_more=False)
    assert page.data[-1] is messages[-1]
    assert page.first_id != "msg_0"
    assert page.has_more


def test_an_object_that_is_too_large_for_any_page_is_a_page_of_its_own() -> None:
    page = Page.from_items(
        [message(n, "x" * MAX_BYTES) for n in range(2)], Cursor(), has_more=False
    )
    assert [each.id for each in page.data] == ["msg_0"]
    assert page.has_more


def test_a_page_of_small_objects_is_whole() -> None:
    page = Page.from_items([message(n, "x") for n in range(100)], Cursor(limit=100), has_more=False)
    assert len(page.data) == 100
    assert not page.has_more
