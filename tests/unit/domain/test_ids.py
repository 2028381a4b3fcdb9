"""Identifiers are in the order in which their objects were made."""

import itertools
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistants.domain import ids
from assistants.domain.errors import InvalidRequestError


def test_ids_made_one_after_another_sort_in_that_order() -> None:
    made = [ids.new_id(ids.MESSAGE) for _ in range(5_000)]
    assert made == sorted(set(made))
    assert all(len(each) == len("msg_") + 26 for each in made)


def test_ids_made_by_threads_side_by_side_are_all_different() -> None:
    made: list[list[str]] = [[] for _ in range(4)]
    threads = [
        threading.Thread(target=lambda mine=mine: mine.extend(ids.new_order() for _ in range(500)))
        for mine in made
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(mine == sorted(mine) for mine in made)
    assert len(set(itertools.chain(*made))) == 2_000


def test_ids_go_on_in_order_when_the_clock_jumps_back(monkeypatch: pytest.MonkeyPatch) -> None:
    before = ids.new_order()
    yesterday = time.time_ns() - 86_400 * 10**9
    monkeypatch.setattr(time, "time_ns", lambda: yesterday)
    assert ids.new_order() > before


def test_ids_of_different_processes_sort_by_the_millisecond(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = []
    for millisecond in (1_800_000_000_000, 1_800_000_000_001, 2_900_000_000_000):
        monkeypatch.setattr(ids, "_clock", ids._Clock())
        monkeypatch.setattr(time, "time_ns", lambda now=millisecond: now * 10**6)
        made.append(ids.new_order())
    assert made == sorted(made)


@given(st.sampled_from(["asst_", "thread_", "msg_", "run_", "step_", "file-"]))
def test_the_order_of_an_id_is_what_it_was_made_from(prefix: str) -> None:
    order = ids.new_order()
    assert ids.order_of(prefix + order) == order


@pytest.mark.parametrize(
    "foreign", ["asst_abc123DEFghi456JKLmno789", "thread_X", "run", "msg_0" * 3, ""]
)
def test_an_id_that_was_brought_from_elsewhere_is_its_own_order(foreign: str) -> None:
    assert ids.order_of(foreign) == foreign


def test_ids_derived_from_another_are_always_the_same_and_in_order_after_it() -> None:
    thread_id = ids.new_id(ids.THREAD)
    following = list(itertools.islice(ids.ids_after(thread_id, ids.MESSAGE), 100))
    assert following == list(itertools.islice(ids.ids_after(thread_id, ids.MESSAGE), 100))
    orders = [ids.order_of(each) for each in following]
    assert orders == sorted(set(orders))
    assert ids.order_of(thread_id) < orders[0]


def test_an_id_made_in_the_same_millisecond_never_meets_one_that_follows_from_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A message that is added right after a thread must not get the id of its first message."""
    now = time.time_ns()
    monkeypatch.setattr(time, "time_ns", lambda: now)
    for _ in range(50):
        following = list(itertools.islice(ids.ids_after(ids.new_id(ids.THREAD), ids.MESSAGE), 100))
        assert ids.new_id(ids.MESSAGE) > following[-1]


@pytest.mark.parametrize("good", ["thread_abc", "thread_" + "x" * 57, ids.new_id(ids.THREAD)])
def test_an_id_of_the_right_kind_passes(good: str) -> None:
    assert ids.check_id(good, ids.THREAD, "thread_id") == good


@pytest.mark.parametrize(
    "bad", ["new", "", "thread", "asst_abc", "thread_a#b", "thread_ü", "thread_a\n", "thread_" * 10]
)
def test_an_id_of_another_kind_is_refused_in_the_words_of_the_original(bad: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        ids.check_id(bad, ids.THREAD, "thread_id")
    assert caught.value.message == (
        f"Invalid 'thread_id': '{bad}'. Expected an ID that begins with 'thread'."
    )
    assert (caught.value.param, caught.value.code) == ("thread_id", "invalid_value")
