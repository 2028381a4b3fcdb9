"""Messages sent in a batch lose their system attributes, and so the sender's trace header."""

from typing import Any

from moto.sqs.models import SQSBackend


def fix() -> None:
    send: Any = SQSBackend.send_message_batch

    def send_with_attributes(self: SQSBackend, queue_name: str, entries: dict[str, Any]) -> Any:
        messages, failed = send(self, queue_name, entries)
        given = {entry["Id"]: entry.get("MessageSystemAttributes") for entry in entries.values()}
        for message in messages:
            message.system_attributes = given[message.user_id] or {}
        return messages, failed

    SQSBackend.send_message_batch = send_with_attributes  # type: ignore[method-assign]
