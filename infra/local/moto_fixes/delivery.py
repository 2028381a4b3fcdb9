"""A queue sends each message to its event source mapping at once, by Docker, and deletes it.

`infra.local.queues` delivers messages instead, in batches and with retries as Lambda does.
"""

from moto.sqs.models import Queue


def fix() -> None:
    Queue.lambda_event_source_mappings = property(lambda _: {}, _ignore)  # type: ignore[assignment]


def _ignore(_: Queue, __: object) -> None:
    """Keep the queue's own list empty; Lambda lists the mappings."""
