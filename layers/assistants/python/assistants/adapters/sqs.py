"""The purge queue on SQS."""

import json
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class SqsPurgeQueue:
    def __init__(self, url: str, client: Callable[[], "SQSClient"]) -> None:
        self._url = url
        self._make_client = client

    @cached_property
    def _client(self) -> "SQSClient":
        return self._make_client()

    def send(self, project: str, thread_id: str) -> None:
        body = json.dumps({"project": project, "thread": thread_id})
        self._client.send_message(QueueUrl=self._url, MessageBody=body)
