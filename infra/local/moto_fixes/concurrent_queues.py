"""A message sent while another is deleted is lost, and two who receive at once make one fail."""

from moto.sqs.models import Queue


def fix() -> None:
    delete = Queue.delete_message

    def delete_alone(self: Queue, receipt_handle: str) -> None:
        with self._messages_lock:  # under which messages are added
            delete(self, receipt_handle)

    Queue.delete_message = delete_alone  # type: ignore[method-assign]
    Queue.pending_message_groups = property(_pending_groups)  # type: ignore[assignment,method-assign]


def _pending_groups(queue: Queue) -> set[str]:
    # A copy of a set is made at once, whoever changes the set meanwhile.
    messages = set(queue.pending_messages)
    return {message.group_id for message in messages if message.group_id is not None}
