"""A query on moto reads no more than it must, and pages as DynamoDB does."""

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from moto.dynamodb.models.table import Table

from infra.local.cloud import Cloud
from tests.integration.local.tables import create_table, put, sort_keys


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with Cloud() as cloud:
        yield cloud


def test_a_query_looks_at_its_own_partition_only(
    cloud: Cloud, table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = cloud.client("dynamodb")
    for pk in "abc":
        client.put_item(**put(table, pk, "1"))
    seen: list[int] = []
    all_items = Table.all_items

    def count(self: Table) -> Any:
        items = all_items(self)
        seen.append(len(items))
        return items

    monkeypatch.setattr(Table, "all_items", count)
    assert sort_keys(cloud, table, "b") == ["1"]
    assert sort_keys(cloud, table, "nobody") == []
    assert seen == [1, 0]


@given(
    keys=st.sets(st.text("abc", min_size=1, max_size=4), max_size=12),
    condition=st.sampled_from(
        [
            ("", lambda key: True),
            ("sk = :b", lambda key: key == "b"),
            ("sk < :b", lambda key: key < "b"),
            ("sk <= :b", lambda key: key <= "b"),
            ("sk > :b", lambda key: key > "b"),
            ("sk >= :b", lambda key: key >= "b"),
            ("begins_with(sk, :b)", lambda key: key.startswith("b")),
            ("sk BETWEEN :b AND :c", lambda key: "b" <= key <= "c"),
        ]
    ),
    forward=st.booleans(),
    limit=st.integers(1, 5),
)
@settings(max_examples=60)
def test_pages_of_a_query_are_its_range_in_order(
    cloud: Cloud,
    keys: set[str],
    condition: tuple[str, Callable[[str], bool]],
    forward: bool,
    limit: int,
) -> None:
    table = f"pages-{uuid.uuid4()}"
    create_table(cloud, table)
    client = cloud.client("dynamodb")
    for key in keys:
        client.put_item(**put(table, "a", key))
    text, matches = condition
    values = {":b": {"S": "b"}, ":c": {"S": "c"}}
    pages = client.get_paginator("query").paginate(
        TableName=table,
        KeyConditionExpression=f"pk = :pk AND {text}" if text else "pk = :pk",
        ExpressionAttributeValues={
            ":pk": {"S": "a"},
            **{name: value for name, value in values.items() if name in text},
        },
        ScanIndexForward=forward,
        Limit=limit,
    )
    found = [[item["sk"]["S"] for item in page["Items"]] for page in pages]
    expected = sorted(filter(matches, keys), reverse=not forward)
    assert [key for page in found for key in page] == expected
    assert all(len(page) == limit for page in found[:-1])


def test_a_query_of_an_index_finds_items_of_all_partitions(cloud: Cloud) -> None:
    client = cloud.client("dynamodb")
    client.create_table(
        TableName="indexed",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "due", "AttributeType": "S"},
            {"AttributeName": "at", "AttributeType": "N"},
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "due",
                "KeySchema": [
                    {"AttributeName": "due", "KeyType": "HASH"},
                    {"AttributeName": "at", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    for pk, at in (("a", "10"), ("b", "9"), ("c", "11")):
        item = {"pk": {"S": pk}, "due": {"S": "runs"}, "at": {"N": at}, "x": {"S": "not a key"}}
        client.put_item(TableName="indexed", Item=item)
    answer = client.query(
        TableName="indexed",
        IndexName="due",
        KeyConditionExpression="due = :due AND #at < :at",
        ExpressionAttributeNames={"#at": "at"},
        ExpressionAttributeValues={":due": {"S": "runs"}, ":at": {"N": "11"}},
    )
    assert [item["pk"]["S"] for item in answer["Items"]] == ["b", "a"]
    assert "x" not in answer["Items"][0]
