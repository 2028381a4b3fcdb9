"""Feed functions from queues, as Lambda's event source mappings for SQS do.

https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
"""

import json
import threading
import time
from collections.abc import Iterable, Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from infra.local.assembly import logical_id
from infra.local.cloud import Cloud
from infra.local.deployment import DeployedStack
from infra.local.function_spec import REGION
from infra.local.functions import HostedFunction, TooManyRequestsError
from infra.local.invocation import FunctionError, Invocation
from infra.local.lineage import MESSAGE_ATTRIBUTE, RecursiveInvocationError, longest

WAIT_SECONDS = 20  # the longest that SQS allows; a message ends it
CONCURRENCY = 5  # batches at once, with which Lambda begins
# AWS does not say how long it waits; it retries until the messages become visible again.
# https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 20.0


class QueueMapping:
    """Poll one queue, and invoke its function with batches of messages."""

    def __init__(
        self, cloud: Cloud, function: HostedFunction, queue_url: str, mapping: Mapping[str, Any]
    ) -> None:
        self._client = cloud.client("sqs", recorded=False)
        self._function = function
        self._url = queue_url
        self._arn = f"arn:aws:sqs:{REGION}:{cloud.account}:{queue_url.rpartition('/')[2]}"
        self._batch_size = int(mapping.get("BatchSize", 10))
        self._hidden_seconds = self._visibility_timeout()
        self._reports_failures = "ReportBatchItemFailures" in mapping.get(
            "FunctionResponseTypes", []
        )
        scaling = mapping.get("ScalingConfig", {})
        self._slots = threading.Semaphore(int(scaling.get("MaximumConcurrency", CONCURRENCY)))
        self._closed = False
        threading.Thread(target=self._poll, name=f"queue:{queue_url}", daemon=True).start()

    def close(self) -> None:
        """Stop polling."""
        self._closed = True

    def _poll(self) -> None:
        while not self._closed:
            self._slots.acquire()
            try:
                messages = self._receive()
            except (BotoCoreError, ClientError):
                if not self._closed:
                    raise
                return
            if messages:
                threading.Thread(target=self._deliver, args=(messages,), daemon=True).start()
            else:
                self._slots.release()

    def _receive(self) -> list[dict[str, Any]]:
        answer = self._client.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=min(self._batch_size, 10),
            WaitTimeSeconds=WAIT_SECONDS,
            AttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        return list(answer.get("Messages", []))

    def _deliver(self, messages: list[dict[str, Any]]) -> None:
        event = {"Records": [self._record(message) for message in messages]}
        try:
            response = self._invoke(json.dumps(event).encode(), self._trace(messages)).response()
        except (FunctionError, TooManyRequestsError, RecursiveInvocationError):
            return  # the messages become visible again
        finally:
            self._slots.release()
        failed = _failed(response) if self._reports_failures else set()
        self._delete(message for message in messages if message["MessageId"] not in failed)

    def _invoke(self, payload: bytes, trace: str) -> Invocation:
        """Invoke, again and again while throttled and the messages are not visible to others.

        Raises `TooManyRequestsError` and `RecursiveInvocationError`.
        """
        give_up = time.monotonic() + self._hidden_seconds
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                return self._function.invoke(payload, trace)
            except TooManyRequestsError:
                if self._closed or time.monotonic() + pause > give_up:
                    raise
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    def _trace(self, messages: Iterable[Mapping[str, Any]]) -> str:
        traces = [message["Attributes"].get(MESSAGE_ATTRIBUTE, "") for message in messages]
        return longest(traces, self._function.arn)

    def _visibility_timeout(self) -> int:
        name = "VisibilityTimeout"
        answer = self._client.get_queue_attributes(QueueUrl=self._url, AttributeNames=[name])
        return int(answer["Attributes"][name])

    def _delete(self, messages: Iterable[dict[str, Any]]) -> None:
        for message in messages:
            self._client.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])

    def _record(self, message: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "attributes": message.get("Attributes", {}),
            "messageAttributes": {
                name: {
                    "dataType": value["DataType"],
                    "stringValue": value.get("StringValue"),
                }
                for name, value in message.get("MessageAttributes", {}).items()
            },
            "md5OfBody": message["MD5OfBody"],
            "eventSource": "aws:sqs",
            "eventSourceARN": self._arn,
            "awsRegion": REGION,
        }


def _failed(response: bytes) -> set[str]:
    """Return the ids of the messages that the function reports as failed."""
    report = json.loads(response) or {}
    return {failure["itemIdentifier"] for failure in report.get("batchItemFailures", [])}


def queue_mappings(cloud: Cloud, deployed: Iterable[DeployedStack]) -> list[QueueMapping]:
    """Start the event source mappings that the templates declare."""
    return [
        _start(cloud, one, mapping["Properties"])
        for one in deployed
        for _, mapping in one.stack.resources("AWS::Lambda::EventSourceMapping")
        if mapping["Properties"].get("Enabled", True)
    ]


def _start(cloud: Cloud, deployed: DeployedStack, mapping: Mapping[str, Any]) -> QueueMapping:
    function, queue = (
        logical_id(mapping["FunctionName"]) or "",
        logical_id(mapping["EventSourceArn"]) or "",
    )
    return QueueMapping(cloud, cloud.functions[function], deployed.resources[queue], mapping)
