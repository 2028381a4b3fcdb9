"""/v1/threads"""

from assistants.domain.ids import THREAD
from assistants.domain.schema import Deleted
from assistants.domain.thread import Thread, ThreadCreate, ThreadModify
from assistants.http.call import Call


def create(call: Call, body: ThreadCreate) -> Thread:
    return call.backend.threads.create(call.project, body, call.new_id(THREAD))


def get(call: Call) -> Thread:
    return call.backend.threads.get(call.project, call.path["thread_id"])


def modify(call: Call, body: ThreadModify) -> Thread:
    return call.backend.threads.modify(call.project, call.path["thread_id"], body)


def delete(call: Call) -> Deleted:
    return call.backend.threads.delete(call.project, call.path["thread_id"])
