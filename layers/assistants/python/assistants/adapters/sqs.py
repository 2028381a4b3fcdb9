"""The work queues on SQS."""

import json
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

from assistants.domain.ids import EntryRef, ProjectId

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

_BATCH = 10  # messages per request, SQS's limit


class _Queue:
    def __init__(self, url: str, client: Callable[[], "SQSClient"]) -> None:
        self._url = url
        self._make_client = client

    @cached_property
    def _client(self) -> "SQSClient":
        return self._make_client()


class SqsPurgeQueue(_Queue):
    """Implement `PurgeQueue`."""

    def send(self, project: ProjectId, identifier: str) -> None:
        body = json.dumps({"project": project, "id": identifier})
        self._client.send_message(QueueUrl=self._url, MessageBody=body)


class SqsIndexQueue(_Queue):
    """Implement `IndexQueue`."""

    def send(self, *entries: EntryRef) -> None:
        """Send one message per entry.

        Raises `RuntimeError` if SQS refuses any; the sweep sends for its entry again.
        """
        for start in range(0, len(entries), _BATCH):
            batch = entries[start : start + _BATCH]
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
        """Have a received message delivered again after `seconds`."""
        self._client.change_message_visibility(
            QueueUrl=self._url, ReceiptHandle=receipt, VisibilityTimeout=seconds
        )
