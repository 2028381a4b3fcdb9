"""moto's DynamoDB with its fixes: each has a test here that fails without it."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from moto.core.serialize import ResponseSerializer
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.table import Table

from infra.local.cloud import Cloud
from tests.integration.local.tables import put, sort_keys


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with Cloud() as cloud:
        yield cloud


def test_a_failing_transaction_loses_no_write_beside_it_and_is_never_seen(
    cloud: Cloud, table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_item: Any = DynamoDBBackend.put_item

    def put_slowly(*arguments: Any, **named: Any) -> Any:
        item = put_item(*arguments, **named)
        time.sleep(0.002)
        return item

    monkeypatch.setattr(DynamoDBBackend, "put_item", put_slowly)
    client = cloud.client("dynamodb")
    client.put_item(**put(table, "lock", "held"))
    losing = [
        {"Put": put(table, "run", "never")},
        {"Put": put(table, "lock", "held", ConditionExpression="attribute_not_exists(pk)")},
    ]

    cancelled = client.exceptions.TransactionCanceledException  # made on first use, without a lock

    def lose(_: int) -> None:
        with pytest.raises(cancelled):
            client.transact_write_items(TransactItems=losing)

    with ThreadPoolExecutor(4) as threads:
        loses = threads.map(lose, range(60))
        puts = [threads.submit(client.put_item, **put(table, "a", f"{n:03}")) for n in range(200)]
        while not all(one.done() for one in puts):
            assert sort_keys(cloud, table, "run") == []
        assert len(list(loses)) == 60
        assert all(done.result() for done in puts)
    assert sort_keys(cloud, table, "a") == [f"{n:03}" for n in range(200)]


def test_a_failing_transaction_restores_puts_updates_and_deletes(cloud: Cloud, table: str) -> None:
    client = cloud.client("dynamodb")
    for sk in ("changed", "deleted", "replaced"):
        client.put_item(TableName=table, Item={"pk": {"S": "a"}, "sk": {"S": sk}, "n": {"N": "1"}})

    def key(sk: str) -> dict[str, Any]:
        return {"TableName": table, "Key": {"pk": {"S": "a"}, "sk": {"S": sk}}}

    with pytest.raises(client.exceptions.TransactionCanceledException) as caught:
        client.transact_write_items(
            TransactItems=[
                {"Put": put(table, "a", "new")},
                {"Put": put(table, "a", "replaced")},
                {"Delete": key("deleted")},
                {
                    "Update": {
                        **key("changed"),
                        "UpdateExpression": "SET n = :n",
                        "ExpressionAttributeValues": {":n": {"N": "2"}},
                    }
                },
                {
                    "ConditionCheck": {
                        **key("absent"),
                        "ConditionExpression": "attribute_exists(pk)",
                    }
                },
            ]
        )
    reasons = [reason["Code"] for reason in caught.value.response["CancellationReasons"]]
    assert reasons == ["None", "None", "None", "None", "ConditionalCheckFailed"]
    items = client.query(
        TableName=table,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": "a"}},
    )["Items"]
    assert [(item["sk"]["S"], item["n"]["N"]) for item in items] == [
        ("changed", "1"),
        ("deleted", "1"),
        ("replaced", "1"),
    ]


def test_a_transaction_copies_no_table(
    cloud: Cloud, table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("the table was copied")

    monkeypatch.setattr(Table, "__deepcopy__", refuse, raising=False)
    cloud.client("dynamodb").transact_write_items(TransactItems=[{"Put": put(table, "a", "b")}])
    assert sort_keys(cloud, table, "a") == ["b"]


def test_an_item_of_every_type_comes_back_as_it_was(cloud: Cloud, table: str) -> None:
    item = {
        "pk": {"S": "a"},
        "sk": {"S": "b"},
        "binary": {"B": bytes(range(256))},
        "number": {"N": "-1.5"},
        "empty": {"S": ""},
        "null": {"NULL": True},
        "false": {"BOOL": False},
        "strings": {"SS": ["x", "y"]},
        "numbers": {"NS": ["1", "2"]},
        "map": {"M": {"inner": {"L": [{"S": "ä"}, {"M": {}}, {"L": []}]}, "raw": {"B": b"\0"}}},
    }
    client = cloud.client("dynamodb")
    client.put_item(TableName=table, Item=item)
    got = client.get_item(TableName=table, Key={"pk": {"S": "a"}, "sk": {"S": "b"}})
    assert got["Item"] == item


def test_only_members_that_are_present_are_looked_up(
    cloud: Cloud, table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = cloud.client("dynamodb")
    client.put_item(**put(table, "a", "b"))
    looked_up: list[str] = []
    get_value: Any = ResponseSerializer.get_value

    def count(self: Any, value: Any, key: str, shape: Any) -> Any:
        looked_up.append(key)
        return get_value(self, value, key, shape)

    monkeypatch.setattr(ResponseSerializer, "get_value", count)
    assert client.get_item(TableName=table, Key={"pk": {"S": "a"}, "sk": {"S": "b"}})["Item"]
    assert looked_up == []
