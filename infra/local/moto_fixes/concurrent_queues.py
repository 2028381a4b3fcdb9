"""A message sent while another is deleted is lost, and one of two concurrent receivers fails."""

from moto.sqs.models import Queue


def fix() -> None:
    delete = Queue.delete_message

    def delete_alone(self: Queue, receipt_handle: str) -> None:
        with self._messages_lock:  # under which messages are added
            delete(self, receipt_handle)

    Queue.delete_message = delete_alone  # type: ignore[method-assign]
    Queue.pending_message_groups = property(_pending_groups)  # type: ignore[assignment,method-assign]


def _pending_groups(queue: Queue) -> set[str]:
    # Copying a set is atomic, whatever other threads change.
    messages = set(queue.pending_messages)
    return {message.group_id for message in messages if message.group_id is not None}
