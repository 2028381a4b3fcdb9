"""Queues of work on SQS."""

import json
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

from assistants.domain.ids import EntryRef, ProjectId

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

_AT_ONCE = 10  # messages of one request


class _Queue:
    def __init__(self, url: str, client: Callable[[], "SQSClient"]) -> None:
        self._url = url
        self._make_client = client

    @cached_property
    def _client(self) -> "SQSClient":
        return self._make_client()


class SqsPurgeQueue(_Queue):
    """A `PurgeQueue`."""

    def send(self, project: ProjectId, identifier: str) -> None:
        body = json.dumps({"project": project, "id": identifier})
        self._client.send_message(QueueUrl=self._url, MessageBody=body)


class SqsIndexQueue(_Queue):
    """An `IndexQueue`."""

    def send(self, *entries: EntryRef) -> None:
        """Raises `RuntimeError` for what SQS does not take; the nets of the table find it."""
        for start in range(0, len(entries), _AT_ONCE):
            batch = entries[start : start + _AT_ONCE]
            bodies = [json.dumps(entry.to_message()) for entry in batch]
            answer = self._client.send_message_batch(
                QueueUrl=self._url,
                Entries=[
                    {"Id": str(number), "MessageBody": body} for number, body in enumerate(bodies)
                ],
            )
            if failed := answer.get("Failed"):
                raise RuntimeError(f"SQS did not take: {failed}")

    def delay(self, receipt: str, seconds: int) -> None:
        """Let a message that was received come again after so long."""
        self._client.change_message_visibility(
            QueueUrl=self._url, ReceiptHandle=receipt, VisibilityTimeout=seconds
        )
