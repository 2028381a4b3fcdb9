"""The queues of the toy template."""

from infra.local import LocalStack


def send(stack: LocalStack, *bodies: str) -> None:
    entries = [{"Id": f"n{n}", "MessageBody": body} for n, body in enumerate(bodies)]
    stack.client("sqs").send_message_batch(
        QueueUrl=stack.resource("Service", "Queue"), Entries=entries
    )


def depth(stack: LocalStack, queue: str) -> int:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    attributes = stack.client("sqs").get_queue_attributes(
        QueueUrl=stack.resource("Service", queue), AttributeNames=names
    )["Attributes"]
    return sum(int(attributes[name]) for name in names)
