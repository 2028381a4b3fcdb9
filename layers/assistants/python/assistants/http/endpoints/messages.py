"""/v1/threads/{thread_id}/messages"""

from assistants.domain.ids import MESSAGE
from assistants.domain.message import Message, MessageCreate, MessageModify
from assistants.domain.page import Cursor, Page
from assistants.domain.schema import Deleted
from assistants.http.call import Call


class MessageCursor(Cursor):
    run_id: str | None = None


def create(call: Call) -> Message:
    body = call.body(MessageCreate)
    return call.backend.messages.create(
        call.project, call.path["thread_id"], body, call.new_id(MESSAGE)
    )


def list_(call: Call) -> Page:
    cursor = call.parameters(MessageCursor)
    return call.backend.messages.list(
        call.project, call.path["thread_id"], cursor, run_id=cursor.run_id
    )


def get(call: Call) -> Message:
    return call.backend.messages.get(call.project, *_ids(call))


def modify(call: Call) -> Message:
    return call.backend.messages.modify(call.project, *_ids(call), call.body(MessageModify))


def delete(call: Call) -> Deleted:
    return call.backend.messages.delete(call.project, *_ids(call))


def _ids(call: Call) -> tuple[str, str]:
    return call.path["thread_id"], call.path["message_id"]
