"""A function that answers each message with the next one to its own queue, 20 in all."""

from typing import Any

import boto3

LAST = 20


def handler(event: dict[str, Any], _: Any) -> None:
    sqs = boto3.client("sqs")
    for record in event["Records"]:
        number = int(record["body"])
        print(f"got number {number}.")
        if number < LAST:
            queue = sqs.get_queue_url(QueueName=record["eventSourceARN"].rpartition(":")[2])
            sqs.send_message_batch(
                QueueUrl=queue["QueueUrl"],
                Entries=[{"Id": "next", "MessageBody": str(number + 1)}],
            )
