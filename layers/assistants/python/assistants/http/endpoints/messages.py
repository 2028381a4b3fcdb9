"""/v1/threads/{thread_id}/messages"""

from assistants.domain.ids import MESSAGE, RunId, ThreadId
from assistants.domain.message import Message, MessageCreate, MessageModify
from assistants.domain.page import Cursor, Page
from assistants.domain.schema import Deleted
from assistants.http.call import Call


class MessageCursor(Cursor):
    run_id: RunId | None = None


def create(call: Call, body: MessageCreate) -> Message:
    thread_id = call.thread_id
    return call.backend.threads.messages.create(call.project, thread_id, body, call.new_id(MESSAGE))


def list_(call: Call, query: MessageCursor) -> Page[Message]:
    thread_id = call.thread_id
    return call.backend.threads.messages.list(call.project, thread_id, query, run_id=query.run_id)


def get(call: Call) -> Message:
    return call.backend.threads.messages.get(call.project, *_ids(call))


def modify(call: Call, body: MessageModify) -> Message:
    return call.backend.threads.messages.modify(call.project, *_ids(call), body)


def delete(call: Call) -> Deleted:
    return call.backend.threads.messages.delete(call.project, *_ids(call))


def _ids(call: Call) -> tuple[ThreadId, str]:
    return call.thread_id, call.path["message_id"]
