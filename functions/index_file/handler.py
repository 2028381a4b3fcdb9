"""From the index queue: make one file of a vector store searchable, or take it out again."""

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
    except Exception:  # the edge of one message: soon again, not when its time to work is over
        logger.exception("could not index a file", extra={"attempt": received})
        index_queue().delay(record.receipt_handle, FIRST_PAUSE_SECONDS * 2 ** (received - 1))
        raise


def handler(event: dict[str, Any], context: Any) -> Any:
    """A message that fails comes again alone; after five times its file has failed."""
    return process_partial_response(
        event=event, record_handler=index, processor=processor, context=context
    )
