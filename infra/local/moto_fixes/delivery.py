"""A queue hands each message to its event source mapping at once, by Docker, and deletes it.

`infra.local.event_sources` delivers messages instead, in batches and with retries as Lambda does.
"""

from moto.awslambda.models import LambdaBackend


def fix() -> None:
    LambdaBackend.send_sqs_batch = _leave_in_queue  # type: ignore[method-assign]


def _leave_in_queue(*_: object, **__: object) -> bool:
    return False
