"""moto's queues under several threads at once: nothing sent is lost, and nobody fails."""

import threading
from collections.abc import Callable, Iterator

import pytest
from moto.sqs.models import Message, Queue, sqs_backends

from infra.local.moto_fixes import apply

QUIET_SECONDS = 0.2


@pytest.fixture
def queue() -> Iterator[Queue]:
    apply()
    backend = sqs_backends["123456789012"]["us-east-1"]
    yield backend.create_queue("concurrent")
    backend.delete_queue("concurrent")


class LookedThrough(list[Message]):
    """Messages to which another is sent when all of them have been looked at."""

    def __init__(self, messages: list[Message], send: Callable[[], None]) -> None:
        super().__init__(messages)
        self.sender = threading.Thread(target=send)

    def __iter__(self) -> Iterator[Message]:
        yield from super().__iter__()
        self.sender.start()
        self.sender.join(QUIET_SECONDS)


def test_a_message_sent_while_another_is_deleted_is_kept(queue: Queue) -> None:
    first = Message("first", "first")
    first.mark_received(visibility_timeout=30)
    messages = LookedThrough([first], lambda: queue.add_message(Message("other", "other")))
    queue._messages = messages
    queue.delete_message(str(first.receipt_handle))
    messages.sender.join()
    assert [message.id for message in queue._messages] == ["other"]


class Received(set[Message]):
    """Messages that others join while they are looked through."""

    def __iter__(self) -> Iterator[Message]:
        for message in super().__iter__():
            self.add(Message("new", "new"))
            yield message


def test_messages_are_received_while_others_become_pending(queue: Queue) -> None:
    queue._pending_messages = Received([Message("known", "known")])
    assert queue.pending_message_groups == set()
