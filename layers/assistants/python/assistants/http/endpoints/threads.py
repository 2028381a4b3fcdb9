"""/v1/threads"""

from typing import Annotated

from pydantic import Field

from assistants.domain.ids import THREAD
from assistants.domain.page import Cursor, Page
from assistants.domain.schema import Deleted
from assistants.domain.thread import Thread, ThreadCreate, ThreadModify
from assistants.http.call import Call


def create(call: Call, body: ThreadCreate) -> Thread:
    return call.backend.threads.service.create(call.project, body, call.new_id(THREAD))


class ThreadCursor(Cursor):
    metadata: Annotated[dict[str, str], Field(max_length=1)] = {}


def list_(call: Call, query: ThreadCursor) -> Page[Thread]:
    """List the project's threads (an extension). `metadata[key]=value` filters by one pair."""
    return call.backend.threads.service.list(call.project, query, metadata=query.metadata)


def get(call: Call) -> Thread:
    return call.backend.threads.service.get(call.project, call.thread_id)


def modify(call: Call, body: ThreadModify) -> Thread:
    return call.backend.threads.service.modify(call.project, call.thread_id, body)


def delete(call: Call) -> Deleted:
    return call.backend.threads.service.delete(call.project, call.thread_id)
