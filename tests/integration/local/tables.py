"""Makes DynamoDB tables with the key `pk`, `sk`, and items."""

from typing import Any

from infra.local.cloud import Cloud


def create_table(cloud: Cloud, name: str) -> None:
    """Create an empty table."""
    cloud.client("dynamodb").create_table(
        TableName=name,
        KeySchema=[
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"},
        ],
        BillingMode="PAY_PER_REQUEST",
    )


def put(table: str, pk: str, sk: str, **options: Any) -> dict[str, Any]:
    """A PutItem of an item that is its key."""
    return {"TableName": table, "Item": {"pk": {"S": pk}, "sk": {"S": sk}}, **options}


def sort_keys(cloud: Cloud, table: str, pk: str) -> list[str]:
    """The sort keys of a partition, in order."""
    pages = (
        cloud.client("dynamodb")
        .get_paginator("query")
        .paginate(
            TableName=table,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": pk}},
        )
    )
    return [item["sk"]["S"] for page in pages for item in page["Items"]]
