"""One contract for the table, on the fake that unit tests use and on DynamoDB with S3."""

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError
from pynamodb.connection import Connection

from assistants.adapters.aws import client
from assistants.adapters.dynamodb import throttling
from assistants.adapters.dynamodb.items import item_model
from assistants.adapters.dynamodb.large_values import INLINE_BYTES, LargeValues
from assistants.adapters.dynamodb.table import DynamoTable
from assistants.domain.errors import RateLimitError
from assistants.ports.table import (
    ConflictError,
    Create,
    Delete,
    Key,
    Replace,
    Require,
    Row,
    Save,
    Table,
)
from infra.local.cloud import Cloud
from tests.support.fakes import FakeTable


@pytest.fixture(params=["fake", "dynamodb"])
def table(request: pytest.FixtureRequest) -> Table:
    if request.param == "fake":
        return FakeTable()
    account: Cloud = request.getfixturevalue("account")
    name = f"store-{uuid4().hex}"
    account.client("s3").create_bucket(Bucket=name)
    account.client("dynamodb").create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"},
        ],
        KeySchema=[
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
    )
    return DynamoTable(item_model(name), LargeValues(name, lambda: client("s3")))


@contextmanager
def throttled(times: int) -> Iterator[None]:
    """Let the table refuse so many calls, which moto never does."""
    left = itertools.repeat(None, times)
    dispatch = Connection.dispatch

    def refuse(self: Connection, operation: str, arguments: Any) -> Any:
        for _ in left:
            raise ClientError({"Error": {"Code": "ThrottlingException"}}, operation)
        return dispatch(self, operation, arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Connection, "dispatch", refuse)
        yield


CALLS: dict[str, Callable[[Table], Any]] = {
    "get": lambda table: table.get(Key("p", "a")),
    "get several": lambda table: table.get(Key("p", "a"), Key("p", "b")),
    "query": lambda table: table.query("p", "", limit=10),
    "keys": lambda table: table.keys("p", "", limit=10),
    "write": lambda table: table.commit(Save(row("c"))),
    "write several": lambda table: table.commit(Save(row("c")), Save(row("d"))),
}


def row(sort: str, partition: str = "p", **body: object) -> Row:
    return Row(Key(partition, sort), dict(body))


def test_a_row_comes_back_as_it_was_written(table: Table) -> None:
    written = Row(Key("p", "a"), {"text": "grüße 🙂", "n": 1.5}, due_at=12, ttl=34)
    table.commit(Create(written))
    assert table.get(written.key) == [written]


@pytest.mark.parametrize("table", ["dynamodb"], indirect=True)
@pytest.mark.parametrize("call", CALLS)
def test_a_throttled_table_is_asked_again(table: Table, call: str) -> None:
    table.commit(Create(row("a")), Create(row("b")))
    expected = CALLS[call](table)
    with throttled(times=3):
        assert CALLS[call](table) == expected


@pytest.mark.parametrize("table", ["dynamodb"], indirect=True)
@pytest.mark.parametrize("call", CALLS)
def test_a_table_that_stays_throttled_limits_the_rate(
    table: Table, call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(throttling, "PATIENCE_SECONDS", 0.05)
    with throttled(times=1000), pytest.raises(RateLimitError):
        CALLS[call](table)


def test_rows_come_in_the_order_of_their_keys_and_missing_ones_are_none(table: Table) -> None:
    table.commit(Create(row("a")), Create(row("b")))
    keys = [Key("p", "b"), Key("p", "missing"), Key("p", "a")]
    assert [found and found.key.sort for found in table.get(*keys)] == ["b", None, "a"]


def test_nothing_is_read_for_no_keys(table: Table) -> None:
    assert table.get() == []


def test_a_value_larger_than_a_row_comes_back_bit_for_bit(table: Table) -> None:
    text = "".join(chr(32 + (n * 7919) % 90_000 % 55_000) for n in range(10 * INLINE_BYTES))
    table.commit(Create(row("large", text=text)), Create(row("small", text="x")))
    large, small = table.get(Key("p", "large"), Key("p", "small"))
    assert large is not None
    assert small is not None
    assert large.body == {"text": text}
    assert [found.body for found in table.query("p", "", limit=5)] == [large.body, small.body]


def test_creating_a_row_twice_conflicts_and_keeps_the_first(table: Table) -> None:
    table.commit(Create(row("a", n=1)))
    with pytest.raises(ConflictError):
        table.commit(Create(row("a", n=2)))
    assert table.get(Key("p", "a")) == [row("a", n=1)]


def test_a_refused_write_takes_its_whole_transaction_with_it(table: Table) -> None:
    table.commit(Create(row("a", n=1)))
    with pytest.raises(ConflictError) as refused:
        table.commit(Save(row("b")), Create(row("a", n=2)), Save(row("c")))
    assert refused.value.failed == {1: row("a", n=1)}
    assert table.query("p", "", limit=9) == [row("a", n=1)]


def test_a_failed_requirement_names_the_row_it_met(table: Table) -> None:
    table.commit(Create(row("lock", run_id="run_1")))
    with pytest.raises(ConflictError) as refused:
        table.commit(
            Create(row("m")),
            Require(Key("p", "lock"), present=False),
            Require(Key("p", "missing")),
        )
    assert refused.value.failed == {1: row("lock", run_id="run_1"), 2: None}


def test_only_the_newest_revision_can_be_replaced(table: Table) -> None:
    first = row("a", n=1)
    table.commit(Create(first))
    table.commit(Replace(first, first.changed({"n": 2})))
    with pytest.raises(ConflictError):
        table.commit(Replace(first, first.changed({"n": 3})))
    [newest] = table.get(first.key)
    assert newest is not None
    assert newest.body == {"n": 2}


def test_a_delete_spares_another_revision_and_forgives_a_missing_row(table: Table) -> None:
    mine = Row(Key("p", "lock"), {}, revision="run_1")
    table.commit(Create(mine))
    with pytest.raises(ConflictError):
        table.commit(Save(row("x")), Delete(mine.key, revision="run_2"))
    table.commit(Save(row("x")), Delete(mine.key, revision="run_1"))
    table.commit(Save(row("y")), Delete(mine.key, revision="run_1"))
    assert table.get(mine.key) == [None]


def test_a_delete_of_an_expected_row_conflicts_when_it_is_gone(table: Table) -> None:
    table.commit(Create(row("a")))
    table.commit(Delete(Key("p", "a"), expected=True))
    with pytest.raises(ConflictError) as refused:
        table.commit(Delete(Key("p", "a"), expected=True))
    assert refused.value.failed == {0: None}


@pytest.mark.parametrize("descending", [False, True])
def test_a_query_is_bounded_by_its_prefix_and_its_exclusive_cursors(
    table: Table, descending: bool
) -> None:
    for sort in ("A#1", "M#1", "M#2", "M#3", "M#4", "N#1"):
        table.commit(Create(row(sort)))
    table.commit(Create(row("M#2", partition="other")))

    def sorts(**bounds: str | int | None) -> list[str]:
        limit = int(bounds.pop("limit", 9) or 9)
        after, before = bounds.get("after"), bounds.get("before")
        rows = table.query(
            "p",
            "M#",
            limit=limit,
            descending=descending,
            after=None if after is None else str(after),
            before=None if before is None else str(before),
        )
        return [found.key.sort for found in rows]

    def turned(*expected: str) -> list[str]:
        return list(reversed(expected)) if descending else list(expected)

    assert sorts() == turned("M#1", "M#2", "M#3", "M#4")
    assert sorts(after="M#1", before="M#4") == turned("M#2", "M#3")
    assert sorts(after="M#4") == []
    assert sorts(before="M#1") == []
    assert sorts(after="M#2", before="M#2") == []
    assert sorts(limit=2) == (["M#4", "M#3"] if descending else ["M#1", "M#2"])
    assert sorts(limit=1, before="M#4") == (["M#3"] if descending else ["M#1"])
    assert sorts(after="M#15") == turned("M#2", "M#3", "M#4"), "a cursor whose row is gone pages on"


def test_more_rows_than_one_batch_are_read_together(table: Table) -> None:
    for start in range(0, 150, 50):
        table.commit(*(Create(row(f"{n:03d}", n=n)) for n in range(start, start + 50)))
    found = table.get(*(Key("p", f"{n:03d}") for n in range(150)))
    assert [each.body["n"] for each in found if each] == list(range(150))
