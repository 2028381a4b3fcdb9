"""Delete the rest of deleted threads and vector stores, one for each message of the queue."""

from typing import Any

from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    process_partial_response,
)
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from assistants.bootstrap import backend

SPARE_SECONDS = 10  # of the function's time, for the page at work and for asking for the rest

processor = BatchProcessor(event_type=EventType.SQS)


def purge(record: SQSRecord, lambda_context: Any) -> None:
    message = record.json_body
    seconds = lambda_context.get_remaining_time_in_millis() / 1000 - SPARE_SECONDS
    backend().maintenance.purge.work(message["project"], message["id"], seconds=seconds)


def handler(event: dict[str, Any], context: Any) -> Any:
    """Process a batch. A failed message returns by itself; after five times it is set aside."""
    return process_partial_response(
        event=event, record_handler=purge, processor=processor, context=context
    )
