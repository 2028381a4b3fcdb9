"""Index one file of a vector store, or remove it from the index, for a message of the queue."""

from typing import Any

from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    process_partial_response,
)
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from assistants.bootstrap import index_queue, indexing
from assistants.domain.ids import EntryRef
from assistants.telemetry import logger

ATTEMPTS = 5
FIRST_PAUSE_SECONDS = 15  # doubled with each attempt

processor = BatchProcessor(event_type=EventType.SQS)


def index(record: SQSRecord) -> None:
    ref = EntryRef.from_message(record.json_body)
    received = int(record.attributes.approximate_receive_count)
    logger.append_keys(vector_store_id=ref.vector_store_id, entry_id=ref.entry_id)
    if received > ATTEMPTS:
        indexing().give_up(ref)
        return
    try:
        indexing().process(ref)
    except Exception:  # the edge of one message, which is retried before it becomes visible
        logger.exception("could not index a file", extra={"attempt": received})
        index_queue().delay(record.receipt_handle, FIRST_PAUSE_SECONDS * 2 ** (received - 1))
        raise


def handler(event: dict[str, Any], context: Any) -> Any:
    """Process a batch. A failed message returns by itself; after five times its file has failed."""
    return process_partial_response(
        event=event, record_handler=index, processor=processor, context=context
    )
