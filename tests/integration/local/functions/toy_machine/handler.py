"""A task of the toy state machine: keeps its token and item in the table and the bucket."""

import os
from typing import Any

import boto3


def handler(event: dict[str, Any], context: Any) -> Any:
    if event.get("fail"):
        raise ValueError("as asked")
    item = {"pk": {"S": event["id"]}, "sk": {"S": "token"}, "token": {"S": event["token"]}}
    boto3.client("dynamodb").put_item(TableName=os.environ["TABLE"], Item=item)
    boto3.client("s3").put_object(Bucket=os.environ["BUCKET"], Key=event["id"], Body=b"seen")
