"""Delete the rest of a deleted thread or vector store, one page for each message of the queue."""

from typing import Any

from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    process_partial_response,
)
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from assistants.bootstrap import backend

processor = BatchProcessor(event_type=EventType.SQS)


def purge(record: SQSRecord) -> None:
    backend().maintenance.purge.work(record.json_body["project"], record.json_body["id"])


def handler(event: dict[str, Any], context: Any) -> Any:
    """Process a batch. A failed message returns by itself; after five times it is set aside."""
    return process_partial_response(
        event=event, record_handler=purge, processor=processor, context=context
    )
