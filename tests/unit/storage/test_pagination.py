"""Every list, against a list in memory that is cut by hand."""

from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistants.domain.ids import order_of
from assistants.domain.page import Cursor
from assistants.ports.table import Create, Key, Row
from assistants.services.storage.pagination import page_of_rows
from tests.support.api_client import Client
from tests.support.deployment import Deployment
from tests.support.fakes import FakeTable

IDS = [f"msg_{number:026d}" for number in range(12)]
FOREIGN = ["msg_abc", "msg_Zed"]


@dataclass(frozen=True)
class Case:
    present: list[str]
    limit: int
    order: str
    after: str | None
    before: str | None


@st.composite
def cases(draw: st.DrawFn) -> Case:
    known = [*IDS, *FOREIGN]
    bound = st.none() | st.sampled_from(known)
    return Case(
        present=draw(st.lists(st.sampled_from(known), unique=True)),
        limit=draw(st.integers(1, 6)),
        order=draw(st.sampled_from(["asc", "desc"])),
        after=draw(bound),
        before=draw(bound),
    )


def store_of(present: list[str]) -> FakeTable:
    table = FakeTable()
    for each in present:
        table.commit(Create(Row(Key("p", f"M#{order_of(each)}"), {"id": each})))
    for neighbour in ("LOCK", "R#0", "N#0", "M"):
        table.commit(Create(Row(Key("p", neighbour), {})))
    return table


def expected(case: Case) -> tuple[list[str], bool]:
    """Cut the page from a list in memory; return it, and whether the list goes on."""
    ordered = sorted(case.present, key=order_of, reverse=case.order == "desc")

    def place(identifier: str) -> Any:
        return [order_of(identifier), ""] if case.order == "asc" else _Descending(identifier)

    if case.after is not None:
        ordered = [each for each in ordered if place(each) > place(case.after)]
    if case.before is not None:
        ordered = [each for each in ordered if place(each) < place(case.before)]
        if case.after is None:
            return ordered[-case.limit :], len(ordered) > case.limit
    return ordered[: case.limit], len(ordered) > case.limit


class _Descending:
    def __init__(self, identifier: str) -> None:
        self.order = order_of(identifier)

    def __lt__(self, other: "_Descending") -> bool:
        return self.order > other.order

    def __gt__(self, other: "_Descending") -> bool:
        return self.order < other.order


@settings(max_examples=400)
@given(cases())
def test_a_page_is_what_cutting_the_whole_list_by_hand_gives(case: Case) -> None:
    """The cursors may be ids of objects that are deleted."""
    cursor = Cursor.model_validate(
        {name: getattr(case, name) for name in ("limit", "order", "after", "before")}
    )
    rows, has_more = page_of_rows(store_of(case.present), "p", "M#", cursor)
    assert ([row.body["id"] for row in rows], has_more) == expected(case)


@given(
    st.lists(st.sampled_from([*IDS, *FOREIGN]), unique=True),
    st.integers(1, 5),
    st.sampled_from(["asc", "desc"]),
)
def test_pages_put_together_are_the_list_and_then_comes_an_empty_one(
    present: list[str], limit: int, order: Any
) -> None:
    table, found, has_more = store_of(present), list[str](), True
    while has_more:
        cursor = Cursor(limit=limit, order=order, after=found[-1] if found else None)
        rows, has_more = page_of_rows(table, "p", "M#", cursor)
        found += [row.body["id"] for row in rows]
    assert found == sorted(present, key=order_of, reverse=order == "desc")
    after = Cursor(limit=limit, order=order, after=found[-1] if found else None)
    assert page_of_rows(table, "p", "M#", after) == ([], False)


@given(
    st.lists(st.sampled_from(IDS), unique=True, min_size=1),
    st.integers(1, 5),
    st.sampled_from(["asc", "desc"]),
)
def test_pages_put_together_from_the_end_are_the_list_too(
    present: list[str], limit: int, order: Any
) -> None:
    table = store_of(present)
    whole = sorted(present, key=order_of, reverse=order == "desc")
    found, has_more = [whole[-1]], True
    while has_more:
        cursor = Cursor(limit=limit, order=order, before=found[0])
        rows, has_more = page_of_rows(table, "p", "M#", cursor)
        found = [*(row.body["id"] for row in rows), *found]
    assert found == whole


def ids_of(page: dict[str, Any]) -> list[str]:
    return [item["id"] for item in page["data"]]


def check_envelope(page: dict[str, Any]) -> None:
    ids = ids_of(page)
    assert set(page) == {"object", "data", "first_id", "last_id", "has_more"}
    assert page["object"] == "list"
    assert (page["first_id"], page["last_id"]) == ((ids[0], ids[-1]) if ids else (None, None))


def made(deployment: Deployment) -> dict[str, list[str]]:
    """Return the URL of every list, with the ids in it from the oldest to the newest."""
    assistants = [deployment.assistant() for _ in range(3)]
    thread_id = deployment.thread("One", "Two", "Three")
    first = deployment.run(thread_id, assistant_id=assistants[0])
    second = deployment.run(thread_id, assistant_id=assistants[0])
    base = f"/threads/{thread_id}"
    listed = ids_of(deployment.api.get(f"{base}/messages?order=asc"))
    return {
        "/assistants": assistants,
        f"{base}/messages": listed,
        f"{base}/messages?run_id={second['id']}": listed[-1:],
        f"{base}/runs": [first["id"], second["id"]],
        f"{base}/runs/{first['id']}/steps": [step["id"] for step in deployment.steps(first)],
    }


def test_every_list_pages_in_both_orders_to_an_empty_page() -> None:
    deployment = Deployment(["A"], ["B"])
    for url, ids in made(deployment).items():
        query = "&" if "?" in url else "?"
        for order, wanted in (("asc", ids), ("desc", ids[::-1])):
            found: list[str] = []
            for _ in range(len(ids) + 1):
                after = f"&after={found[-1]}" if found else ""
                page = deployment.api.get(f"{url}{query}limit=1&order={order}{after}")
                check_envelope(page)
                found += ids_of(page)
                assert page["has_more"] == (len(found) < len(wanted) and bool(page["data"]))
            assert found == wanted, url
            last = deployment.api.get(f"{url}{query}order={order}&after={wanted[-1]}")
            assert (last["data"], last["has_more"]) == ([], False)


def test_a_list_shows_the_newest_first_and_twenty_at_most() -> None:
    deployment = Deployment()
    ids = [deployment.assistant() for _ in range(21)]
    page = deployment.api.get("/assistants")
    assert ids_of(page) == ids[:0:-1]
    assert page["has_more"]


def test_a_deleted_cursor_still_pages() -> None:
    deployment = Deployment()
    ids = [deployment.assistant() for _ in range(4)]
    deployment.api.delete(f"/assistants/{ids[2]}")
    assert ids_of(deployment.api.get(f"/assistants?after={ids[2]}")) == [ids[1], ids[0]]
    assert ids_of(deployment.api.get(f"/assistants?before={ids[2]}")) == [ids[3]]
    assert ids_of(deployment.api.get(f"/assistants?before={ids[2]}&order=asc")) == ids[:2]


def test_an_empty_list_has_null_ids() -> None:
    deployment = Deployment()
    for url in ("/assistants", f"/threads/{deployment.thread()}/messages"):
        assert deployment.api.get(url) == {
            "object": "list",
            "data": [],
            "first_id": None,
            "last_id": None,
            "has_more": False,
        }


@pytest.mark.parametrize("cursor", ["after", "before"])
@pytest.mark.parametrize("value", ["", "x" * 2000, "a%23b", "%C3%BC", "a%00"])
def test_a_cursor_that_no_object_can_have_is_refused(cursor: str, value: str) -> None:
    deployment = Deployment()
    answer = deployment.api.request("GET", f"/assistants?{cursor}={value}")
    assert answer.status == 400
    assert (answer.error["param"], answer.error["code"]) == (cursor, "invalid_value")


def test_messages_of_a_run_are_found_by_its_id() -> None:
    deployment = Deployment(["A"], ["B"])
    lists = made(deployment)
    [url] = [url for url in lists if "run_id" in url]
    [message] = deployment.api.get(url)["data"]
    assert message["content"][0]["text"]["value"] == "B"
    thread_id = message["thread_id"]
    deployment.api.delete(f"/threads/{thread_id}/messages/{message['id']}")
    assert deployment.api.get(url)["data"] == []
    other = deployment.api.get(f"/threads/{thread_id}/messages?run_id=run_other")
    assert other["data"] == []
    answer = deployment.api.request("GET", f"/threads/{thread_id}/messages?run_id=x")
    assert (answer.status, answer.error["param"]) == (400, "run_id")


def test_threads_are_listed_by_what_their_metadata_holds() -> None:
    deployment = Deployment()

    def make(**metadata: str) -> str:
        return str(deployment.api.post("/threads", {"metadata": metadata})["id"])

    first, second, third = make(team="blue", user="1"), make(team="red"), make(team="blue")

    def listed(query: str = "") -> list[str]:
        page = deployment.api.get(f"/threads?order=asc{query}")
        check_envelope(page)
        return ids_of(page)

    assert listed() == [first, second, third]
    assert listed("&metadata[team]=blue") == [first, third]
    assert listed("&metadata[user]=1") == [first]
    assert listed("&metadata[team]=bl") == listed("&metadata[none]=blue") == []
    assert ids_of(deployment.api.get(f"/threads?metadata[team]=blue&after={third}")) == [first]
    deployment.api.post(f"/threads/{first}", {"metadata": {"team": "red"}})
    assert listed("&metadata[team]=blue") == [third]
    assert listed("&metadata[team]=red") == [first, second]
    assert listed("&metadata[user]=1") == []
    deployment.api.delete(f"/threads/{first}")
    assert listed() == [second, third]
    assert listed("&metadata[team]=red") == [second]


def test_metadata_that_only_looks_like_another_pair_does_not_match() -> None:
    deployment = Deployment()
    made = {
        name: deployment.api.post("/threads", {"metadata": {key: value}})["id"]
        for name, (key, value) in {
            "a": ("x", "y=z"),
            "b": ("x=y", "z"),
            "c": ("x#y", "z"),
            "d": ("x", "y#z"),
        }.items()
    }
    assert ids_of(deployment.api.get("/threads?metadata[x]=y%3Dz")) == [made["a"]]
    assert ids_of(deployment.api.get("/threads?metadata[x%3Dy]=z")) == [made["b"]]
    assert ids_of(deployment.api.get("/threads?metadata[x%23y]=z")) == [made["c"]]
    assert ids_of(deployment.api.get("/threads?metadata[x]=y%23z")) == [made["d"]]


def test_threads_are_listed_by_one_pair_at_a_time() -> None:
    answer = Deployment().api.request("GET", "/threads?metadata[a]=1&metadata[b]=2")
    assert (answer.status, answer.error["param"]) == (400, "metadata")


def test_threads_of_another_key_are_not_listed() -> None:
    deployment = Deployment([])
    deployment.api.post("/threads", {"metadata": {"team": "blue"}})
    deployment.api.post("/threads/runs", {"assistant_id": deployment.assistant()})
    stranger = Client(deployment.app, key="sk-stranger")
    assert stranger.get("/threads")["data"] == []
    assert stranger.get("/threads?metadata[team]=blue")["data"] == []
    assert len(deployment.api.get("/threads")["data"]) == 2


def test_a_page_ends_before_it_grows_too_large_for_lambda() -> None:
    deployment = Deployment()
    texts = [str(number) + "x" * 1_600_000 for number in range(6)]
    url = f"/threads/{deployment.thread(*texts)}/messages"
    for order in ("asc", "desc"):
        found: list[str] = []
        pages = 0
        has_more = True
        while has_more:
            after = f"&after={found[-1]}" if found else ""
            answer = deployment.api.request("GET", f"{url}?order={order}{after}")
            assert len(answer.body) < 6_000_000
            found += ids_of(answer.json)
            pages, has_more = pages + 1, answer.json["has_more"]
        assert (len(found), pages > 1) == (6, True)
    before = deployment.api.get(f"{url}?before={found[-1]}")
    kept = ids_of(before)
    assert kept == found[-1 - len(kept) : -1]
    assert before["has_more"] == (len(kept) < 5)
