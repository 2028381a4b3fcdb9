"""From the purge queue: remove what hung on a deleted thread or vector store, a page at a time."""

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
    """A message that fails goes back to the queue alone; after five times it is put aside."""
    return process_partial_response(
        event=event, record_handler=purge, processor=processor, context=context
    )
